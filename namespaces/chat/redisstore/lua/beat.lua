-- milliseconds after which an instance is dead, when this one has been heard last
-- as far as it knows, and since when without a pause, time to live of a history
local dead = tonumber(ARGV[4])
local now, last = time(), tonumber(call('ZSCORE', instances, me) or -1)
call('ZADD', instances, now, me)
keepIndex(now, tonumber(ARGV[7]), 100)
-- An instance may take others for dead if it has been heard itself for as long as
-- they have not: else Redis may have been away. This may be one of several
-- heartbeats that have all been waiting, too.
local since = tonumber(ARGV[6])
local judges = last >= 0 and last == tonumber(ARGV[5]) and now - last <= dead / 2 and now - since >= dead
if judges then
	local gone = call('ZRANGEBYSCORE', instances, 0, now - dead, 'LIMIT', 0, 100)
	for _, instance in ipairs(gone) do
		call('ZADD', instances, -1, instance)
		call('HDEL', epochs, instance)
	end
end
local next = since + dead - now -- when this one may say so
if judges then
	next = call('ZRANGEBYSCORE', instances, 0, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2] + dead - now
end
return { now, math.floor(last), call('ZCOUNT', instances, '-inf', '(0'), math.floor(next) }
