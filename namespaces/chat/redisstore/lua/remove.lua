-- socket, user, only: 1 if the socket has to be this instance's
local socket, user = ARGV[4], ARGV[5]
local known, before = connected(user), statusOf(user)
if ARGV[6] ~= '1' or record(socket) == me then
	absent(socket, user)
end
local after, rooms = statusOf(user), {}
local changed = known and after ~= before and connected(user)
if changed and user ~= socket then
	rooms = call('SMEMBERS', key('rooms', user))
end
-- Rooms that the socket is still in, because it could not be made to leave them,
-- are for its instance to see to.
return { after, changed and 1 or 0, rooms, call('EXISTS', key('in', socket)) }
