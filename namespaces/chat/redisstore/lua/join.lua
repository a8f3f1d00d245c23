-- room, socket, user, name, how many to list
local room, socket, user = ARGV[4], ARGV[5], ARGV[6]
local turned = join(room, socket, user, ARGV[7])
local out = { turned and 1 or 0, call('ZCARD', key('room', room)), statusOf(user) }
list(out, room, tonumber(ARGV[8]))
return out
