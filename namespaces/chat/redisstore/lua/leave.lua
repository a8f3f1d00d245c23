-- room, socket, user, only: 1 if the socket has to be this instance's
local room, socket, user = ARGV[4], ARGV[5], ARGV[6]
local turned = false
if ARGV[7] ~= '1' or record(socket) == me then
	turned = leave(room, socket, user)
end
return { turned and 1 or 0, call('ZCARD', key('room', room)), statusOf(user), call('EXISTS', key('in', socket)) }
