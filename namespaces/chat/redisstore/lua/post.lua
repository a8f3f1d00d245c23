-- room, id, text, 1 to keep it, receipt or '', its time to live, messages of a
-- room, bytes of a room, bytes of all, time to live of a history
local room, id, text, keep, receipt = ARGV[4], ARGV[5], ARGV[6], ARGV[7] == '1', ARGV[8]
local most, mostBytes, mostTotal, ttl = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local history = key('history', room)
local weights, total = base .. 'history-weights', base .. 'history-total'
if keep and call('ZLEXCOUNT', history, '[' .. id, '+') > 0 then
	return { 2, string.sub(call('ZRANGE', history, -1, -1)[1], 1, idLength) }
end
if receipt ~= '' then
	local first = call('GET', receipt)
	if first then
		return { 1, first }
	end
	call('SET', receipt, id, 'PX', ARGV[9])
end
local empty = historyCost + #room
if not keep or #text > mostBytes or #text + messageCost + empty > mostTotal then
	return { 0, id }
end
local now, kept = time(), call('ZCARD', history)
local before = tonumber(call('HGET', weights, room) or 0)
local bytes = kept == 0 and 0 or before - empty - kept * messageCost
call('ZADD', history, 0, id .. text)
kept, bytes = kept + 1, bytes + #text
while kept > most or bytes > mostBytes or bytes + kept * messageCost + empty > mostTotal do
	local first = call('ZPOPMIN', history)[1]
	kept, bytes = kept - 1, bytes - #first + idLength
end
local after = bytes + kept * messageCost + empty
call('HSET', weights, room, after)
call('ZADD', base .. 'histories', now, room)
local all = call('INCRBY', total, after - before)
call('ZADD', base .. 'histories', now, room)
while all > mostTotal do -- the last one is this room's, and fits
	local oldest = call('ZRANGE', base .. 'histories', 0, 0)[1]
	if oldest == room then
		break
	end
	forget(oldest)
	all = tonumber(call('GET', total) or 0)
end
call('PEXPIRE', history, ttl)
if before == 0 then
	keepIndex(now, ttl, 10)
end
return { 0, id }
