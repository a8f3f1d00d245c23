-- how many
local most, out = tonumber(ARGV[4]), {}
for _, instance in ipairs(call('ZRANGEBYSCORE', instances, '-inf', '(0', 'LIMIT', 0, 16)) do
	local theirs = key('instance', instance)
	for _, socket in ipairs(call('SPOP', theirs, most - #out)) do
		local owner, status, user = record(socket)
		if owner == instance then
			own(socket, user)
			out[#out + 1] = orphan(socket, user)
		end
	end
	if call('EXISTS', theirs) == 1 then
		break
	end
	call('ZREM', instances, instance)
end
return out
