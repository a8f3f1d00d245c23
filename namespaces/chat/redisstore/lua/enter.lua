-- the epoch that begins
local base, me, was, epoch = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local known = redis.call('HGET', base .. 'epochs', me) == was
local last = tonumber(redis.call('ZSCORE', base .. 'instances', me) or -1)
redis.call('HSET', base .. 'epochs', me, epoch)
redis.call('ZADD', base .. 'instances', now, me)
return { known and last >= 0 and 1 or 0, now, math.floor(last) }
