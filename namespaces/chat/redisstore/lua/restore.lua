-- 1 to say whose user has come to which rooms, or is more present; of each socket:
-- socket, user, name, status, number of rooms, rooms
local tell, out = ARGV[4] == '1', {}
local i, changed = 5, 0
call('ZADD', instances, time(), me)
while i <= #ARGV do
	local socket, user, name, status, n = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4])
	local owner, was, whose = record(socket)
	local different = (owner and owner ~= me) or was ~= status
	if whose and whose ~= user then
		user = whose
	end
	local known, before = tell and connected(user), statusOf(user)
	if status ~= '-' then
		present(socket, user, status)
	end
	local wanted, turned = {}, {}
	for k = i + 5, i + 4 + n do
		local room = ARGV[k]
		wanted[room] = true
		if call('SISMEMBER', key('in', socket), room) == 0 then
			if join(room, socket, user, name) then
				turned[#turned + 1] = room
			end
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
	if tell and status ~= '-' then
		local risen = known and statusOf(user) ~= before
		if risen or #turned > 0 then
			out[#out + 1] = { socket, turned, risen and 1 or 0 }
		end
	end
	if different then
		changed = changed + 1
	end
	i = i + 5 + n
end
return { changed, out }
