-- the epoch that begins
local base, me, was, epoch = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local epochs = base .. 'epochs'
local mine = redis.call('HGET', epochs, me)
local last = tonumber(redis.call('ZSCORE', base .. 'instances', me) or -1)
-- The first epoch of all has a name that stays as long as anything is remembered.
local first = redis.call('HGET', epochs, '')
if not first then
	first = epoch
	redis.call('HSET', epochs, '', first)
end
redis.call('HSET', epochs, me, epoch)
redis.call('ZADD', base .. 'instances', now, me)
return { mine == was and last >= 0 and 1 or 0, now, math.floor(last), first, mine and 1 or 0 }
