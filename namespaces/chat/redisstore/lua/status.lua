-- socket, user, status
local socket, user = ARGV[4], ARGV[5]
local known, before = connected(user), statusOf(user)
local after = present(socket, user, ARGV[6])
local rooms = {}
if user ~= socket then
	rooms = call('SMEMBERS', key('rooms', user))
end
return { after, known and after ~= before and 1 or 0, rooms }
