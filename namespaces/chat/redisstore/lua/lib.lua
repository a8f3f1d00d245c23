-- What all scripts begin with. ARGV is the prefix of all keys, the instance that
-- calls, its epoch, and what the script is told beside; KEYS name what it touches,
-- as far as that is known before, for the sake of a Redis Cluster.

local base, me = ARGV[1], ARGV[2]

local epochs = base .. 'epochs'       -- hash: instance -> epoch; '' -> the first of all
local instances = base .. 'instances' -- zset: instance by its last heartbeat; negative: it is dead
local sockets = base .. 'sockets'     -- hash: socket -> record
local statuses = base .. 'statuses'   -- hash: user -> status, of those who are not online

local call = redis.call

-- What an instance has sent before it was taken for dead, or has given up, comes
-- too late.
if call('HGET', epochs, me) ~= ARGV[3] then
	return redis.error_reply('STALE the instance has another epoch')
end

local function key(kind, name)
	return base .. kind .. ':' .. name
end

-- time is that of Redis, in milliseconds: the instances' clocks say nothing.
local function time()
	local t = call('TIME')
	return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A record is 16 characters of the instance, the status, which is - for a socket
-- that is not there but in rooms, and = for a user that is the socket, or : and
-- the user.
local function record(socket)
	local text = call('HGET', sockets, socket)
	if not text then
		return nil, '-', nil
	end
	local user = socket
	if string.sub(text, 18, 18) == ':' then
		user = string.sub(text, 19)
	end
	return string.sub(text, 1, 16), string.sub(text, 17, 17), user
end

-- own makes a socket this instance's, whosever it was.
local function own(socket, user, status)
	local owner, was = record(socket)
	status = status or was
	if owner == me and was == status then
		return
	end
	if owner ~= me then
		if owner then
			call('SREM', key('instance', owner), socket)
		end
		call('SADD', key('instance', me), socket)
	end
	local tail = user == socket and '=' or ':' .. user
	call('HSET', sockets, socket, me .. status .. tail)
end

-- disown forgets a socket that is neither there nor in rooms.
local function disown(socket)
	local owner = record(socket)
	if owner then
		call('HDEL', sockets, socket)
		call('SREM', key('instance', owner), socket)
	end
end

-- statusOf returns how present a user is.
local function statusOf(user)
	return tonumber(call('HGET', statuses, user) or 0)
end

-- connected reports whether a user has a socket.
local function connected(user)
	if call('EXISTS', key('user', user)) == 1 then
		return true
	end
	local _, status, same = record(user)
	return same == user and status ~= '-'
end

-- settle notes how present a user is, by the user's sockets, and returns it.
local function settle(user, status)
	if not status then
		local most = call('ZRANGE', key('user', user), 0, 0, 'WITHSCORES')
		status = tonumber(most[2] or 0)
	end
	if status == 0 then
		call('HDEL', statuses, user)
	else
		call('HSET', statuses, user, status)
	end
	return status
end

-- present notes the status of a socket that is there.
local function present(socket, user, status)
	own(socket, user, status)
	if user == socket then
		return settle(user, tonumber(status))
	end
	call('ZADD', key('user', user), status, socket)
	return settle(user)
end

-- absent notes that a socket is not there.
local function absent(socket, user)
	local owner, status, whose = record(socket)
	if not owner or whose ~= user or status == '-' then
		return
	end
	if user == socket then
		settle(user, 0)
	else
		call('ZREM', key('user', user), socket)
		settle(user)
	end
	if call('EXISTS', key('in', socket)) == 0 then
		disown(socket)
		return
	end
	call('HSET', sockets, socket, owner .. '-' .. (user == socket and '=' or ':' .. user))
end

-- join returns whether the user was not in the room.
local function join(room, socket, user, name)
	own(socket, user)
	if call('SADD', key('in', socket), room) == 0 then
		return false
	end
	local users = key('room', room)
	if call('ZSCORE', users, user) then
		call('HINCRBY', key('doubles', room), user, 1)
		return false
	end
	local last = call('ZRANGE', users, -1, -1, 'WITHSCORES')
	call('ZADD', users, (last[2] or 0) + 1, user)
	call('HSET', key('names', room), user, name)
	if user ~= socket then
		call('SADD', key('rooms', user), room)
	end
	return true
end

-- leave returns whether the user is not in the room any more, and was.
local function leave(room, socket, user)
	local owner, status, whose = record(socket)
	if whose ~= user or call('SREM', key('in', socket), room) == 0 then
		return false
	end
	if status == '-' and call('EXISTS', key('in', socket)) == 0 then
		disown(socket)
	end
	local doubles = key('doubles', room)
	local more = tonumber(call('HGET', doubles, user) or 0)
	if more > 1 then
		call('HINCRBY', doubles, user, -1)
		return false
	elseif more == 1 then
		call('HDEL', doubles, user)
		return false
	end
	call('ZREM', key('room', room), user)
	call('HDEL', key('names', room), user)
	if user ~= socket then
		call('SREM', key('rooms', user), room)
	end
	return true
end

-- namesOf returns the names of some of a room's users. To read all names and drop
-- some is much cheaper than to look some up.
local function namesOf(room, some)
	local names = key('names', room)
	if call('HLEN', names) > 4 * #some then
		return call('HMGET', names, unpack(some))
	end
	local all, by, out = call('HGETALL', names), {}, {}
	for i = 1, #all, 2 do
		by[all[i]] = all[i + 1]
	end
	for i, user in ipairs(some) do
		out[i] = by[user] or ''
	end
	return out
end

-- list appends the first users of a room: their ids, names, and statuses, which
-- are left out if all are online, as often as there are a thousand.
local function list(out, room, most)
	local users, at, online = key('room', room), 0, call('EXISTS', statuses) == 0
	while at < most do
		local some = call('ZRANGE', users, at, math.min(at + 999, most - 1))
		if #some == 0 then
			return
		end
		out[#out + 1] = some
		out[#out + 1] = namesOf(room, some)
		out[#out + 1] = online and {} or call('HMGET', statuses, unpack(some))
		at = at + 1000
	end
end

-- orphan says of a socket what its instance would know.
local function orphan(socket, user)
	local rooms, name = call('SMEMBERS', key('in', socket)), nil
	if rooms[1] then
		name = call('HGET', key('names', rooms[1]), user)
	elseif user ~= socket then
		local room = call('SRANDMEMBER', key('rooms', user))
		name = room and call('HGET', key('names', room), user)
	end
	return { socket, user, name or '', rooms }
end

-- What a message and a room's history are taken to cost beside their texts.
local messageCost, historyCost = 128, 512
local idLength = 20

-- forget drops the history of a room.
local function forget(room)
	local weights = base .. 'history-weights'
	local weight = call('HGET', weights, room)
	if weight then
		if call('DECRBY', base .. 'history-total', weight) <= 0 then
			call('DEL', base .. 'history-total')
		end
		call('HDEL', weights, room)
	end
	call('ZREM', base .. 'histories', room)
	call('DEL', key('history', room))
end

-- keepIndex drops some of the histories that have not been written to for long, and
-- sees to it that when nobody posts any more all goes in the end.
local function keepIndex(now, ttl, most)
	local old = call('ZRANGEBYSCORE', base .. 'histories', '-inf', now - ttl, 'LIMIT', 0, most)
	for _, room in ipairs(old) do
		forget(room)
	end
	call('PEXPIRE', base .. 'histories', ttl)
	call('PEXPIRE', base .. 'history-weights', ttl)
	call('PEXPIRE', base .. 'history-total', ttl)
end

