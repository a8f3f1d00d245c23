-- of each socket: socket, user, name, status, number of rooms, rooms
local i, changed = 4, 0
call('ZADD', instances, time(), me)
while i <= #ARGV do
	local socket, user, name, status, n = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4])
	local owner, was, whose = record(socket)
	local different = (owner and owner ~= me) or was ~= status
	if whose and whose ~= user then
		user = whose
	end
	if status ~= '-' then
		present(socket, user, status)
	end
	local wanted = {}
	for k = i + 5, i + 4 + n do
		local room = ARGV[k]
		wanted[room] = true
		if call('SISMEMBER', key('in', socket), room) == 0 then
			join(room, socket, user, name)
			different = true
		elseif call('HGET', key('names', room), user) ~= name then
			call('HSET', key('names', room), user, name)
			different = true
		end
	end
	for _, room in ipairs(call('SMEMBERS', key('in', socket))) do
		if not wanted[room] then
			leave(room, socket, user)
			different = true
		end
	end
	if status == '-' then
		absent(socket, user)
		if n > 0 then
			own(socket, user)
		end
	end
	if different then
		changed = changed + 1
	end
	i = i + 5 + n
end
return changed
