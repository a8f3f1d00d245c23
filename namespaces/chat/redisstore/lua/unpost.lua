-- room, id, receipt or ''
local room, id, receipt = ARGV[4], ARGV[5], ARGV[6]
local history = key('history', room)
local kept = call('ZRANGEBYLEX', history, '[' .. id, '[' .. id .. '\255', 'LIMIT', 0, 1)[1]
if kept then
	call('ZREM', history, kept)
	if call('EXISTS', history) == 0 then
		forget(room)
	else
		local less = #kept - idLength + messageCost
		call('HINCRBY', base .. 'history-weights', room, -less)
		call('DECRBY', base .. 'history-total', less)
	end
end
if receipt ~= '' and call('GET', receipt) == id then
	call('DEL', receipt)
end
return kept and 1 or 0
