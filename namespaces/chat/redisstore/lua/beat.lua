-- milliseconds after which an instance is dead, 1 if this one may say so, time to
-- live of a history
local dead = tonumber(ARGV[4])
local now, last = time(), tonumber(call('ZSCORE', instances, me) or -1)
call('ZADD', instances, now, me)
expire(now, tonumber(ARGV[6]), 100)
-- Who has not been heard itself for a while does not know whether others were.
if ARGV[5] == '1' and last >= 0 and now - last <= dead / 2 then
	local gone = call('ZRANGEBYSCORE', instances, 0, now - dead, 'LIMIT', 0, 100)
	for _, instance in ipairs(gone) do
		call('ZADD', instances, -1, instance)
		call('HDEL', epochs, instance)
	end
end
local oldest = call('ZRANGEBYSCORE', instances, 0, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
return { now, math.floor(last), call('ZCOUNT', instances, '-inf', '(0'), math.floor(oldest[2] + dead - now) }
