-- room, how many to list
local out = { call('ZCARD', key('room', ARGV[4])) }
list(out, ARGV[4], tonumber(ARGV[5]))
return out
