// Package redisstore keeps the state of a chat in Redis, or Valkey, for several
// instances that serve it together: who is in which room and how present, what has
// been sent, and what is kept of it. It is a [chat.Store] and a [chat.Watcher].
//
//	store, err := redisstore.New(rdb, "/chat", redisstore.Options{})
//	…
//	c := chat.Mount(io.Of("/chat"), chat.Options{Store: store})
//	watching.Go(func() { err = c.Watch(ctx) }) // without it the instance is dead to the others
//	…
//	err = store.Close() // after the server and Watch
//
// There is one Store for each namespace on each instance. Redis has to be version 7
// or newer; maxmemory-policy should be noeviction, since what Redis evicts here the
// chat is wrong about. When Redis is full, methods that need room are refused as a
// whole, and leaving works.
//
// # What is guaranteed
//
// Each method is one script, and one round trip: it happens as a whole or not at
// all. An error comes within [Options.Timeout]. A method that returns one has
// changed nothing; where it may have, because the answer was lost, that is put
// right before this instance does anything else in Redis, and a message that was
// refused to its sender is neither kept nor remembered. Only another instance can
// see it in between.
//
// Every instance has a heartbeat, measured by Redis' clock. One that is not heard
// for three heartbeats, 6 s, is dead: the others share its sockets, and make each
// leave once, by way of Watch: 5,000 of them within 10 s of the last heartbeat. If
// one of those dies too, what it had taken over is shared again. While Redis itself
// does not answer nobody dies of that: only an instance that was heard all along
// takes others for dead.
//
// Every instance also remembers what it has told Redis of its own sockets, and
// tells it again when Redis may have lost it: after a lost connection, a restart,
// a failover or FLUSHALL, and when it was taken for dead and was not; about one
// heartbeat later Redis is right again. History and the memory of clientMsgIds
// are Redis' alone. When an instance was taken for dead and is back, the rooms that
// were told that somebody has left are told by it, another heartbeat later, that
// he is there. What Redis has forgotten nobody was told of, nor is when it knows
// again.
//
// A socket that goes while Redis is away, or an instance that cannot reach it,
// leaves its rooms when Redis is back, and they are told.
//
// # Layout
//
// All keys of a namespace begin with {prefix#namespace}, so that on a Cluster they
// are in one slot, on one node. A script may only touch keys of one slot, and what
// is one step here is about a user, its other sockets, and a room at once: with a
// slot for each room, a count could not be told together with the change that made
// it. It costs that a namespace has at most what one node can do, which spends some
// 50 µs on a join or a post, and 350 µs on a join that lists 200 users: some ten
// thousand a second. An application that needs more has several namespaces.
// While a Cluster moves the slot to another node, methods may return errors; the
// instances should not be running.
//
//	epochs              hash    instance → epoch; a script of another epoch is refused; "" → the first of all
//	instances           zset    instance by its last heartbeat in ms; -1: it is dead
//	instance:INSTANCE   set     those that it has
//	sockets             hash    by socket: INSTANCE, status or - for none, = or :USER
//	in:SOCKET           set     the rooms that it is in
//	user:USER           zset    sockets by status; not of a user that is its socket
//	rooms:USER          set     rooms that list the user; the same
//	statuses            hash    user → status, of those who are not online
//	room:ROOM           zset    users in the order in which they came
//	names:ROOM          hash    user → name
//	doubles:ROOM        hash    user → sockets in the room beside the first
//	receipt:N:USER:KEY  string  id of the message, for ten minutes; N is len(USER)
//	history:ROOM        zset    messages, each its id and its text, in lexical order
//	histories           zset    rooms by the time they were written to, in ms
//	history-weights     hash    room → what its history costs in bytes
//	history-total       string  what all do
//
// When everybody has left, only receipts and history remain, for their time.
//
// Memory, as Redis 7 counts it: a socket that is in one room costs about 0.6 KB,
// a receipt about 0.2 KB: a user who sends ten messages a second with a key each,
// the chat's limit for a socket, costs 1.2 MB of receipts at most. History is
// bounded by [Options.History], HistoryBytes and HistoryTotal.
//
// # Trust
//
// Whoever can write to this Redis can say who is in a room, and what was said
// there. Give the server an ACL user of its own, with ~{parlor#* and the commands
// of the scripts: +@all -@dangerous -@admin will do.
package redisstore
