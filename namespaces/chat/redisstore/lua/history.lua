-- room, id, 1 for after it, how many, bytes
local history, id, after = key('history', ARGV[4]), ARGV[5], ARGV[6] == '1'
local limit, most = tonumber(ARGV[7]), tonumber(ARGV[8])
local out, bytes, at = { 0 }, 0, 0
while true do
	local some
	if after then
		some = call('ZRANGEBYLEX', history, '(' .. id .. '\255', '+', 'LIMIT', at, 16)
	else
		some = call('ZREVRANGEBYLEX', history, '(' .. id, '-', 'LIMIT', at, 16)
	end
	for _, message in ipairs(some) do
		bytes = bytes + #message - idLength + 1
		if #out > limit or (bytes > most and #out > 1) then
			out[1] = 1
			return out
		end
		out[#out + 1] = string.sub(message, idLength + 1)
	end
	if #some < 16 then
		return out
	end
	at = at + 16
end
