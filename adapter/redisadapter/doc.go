// Package redisadapter makes several instances one: their namespaces share rooms
// and broadcasts through Redis, on the wire of Node's @socket.io/redis-adapter 8.3,
// so that Parlor and Node instances can serve together, and emitters that publish
// for Node's reach Parlor's clients.
//
//	io := server.New(server.WithAdapter(redisadapter.PubSub(rdb)))
//
// # What is guaranteed
//
// An instance delivers to its own clients at once, whatever state Redis is in; no
// operation waits for Redis but those that return something of other instances,
// and they for a bounded time. To the clients of other instances an event is
// delivered at most once: Redis keeps nothing, so what is published while an
// instance is not connected does not reach it. What one instance sends arrives in
// its order.
//
// While Redis is away, what is to be published waits for two seconds ([WithMaxAge])
// in a bounded queue, and is dropped then, the oldest first; [Stats] counts it.
// After a reconnection every subscription is made again and confirmed before
// anything is published.
//
// # Trust
//
// Whoever can publish in this Redis can send events to all clients, move and
// disconnect them. Messages are not signed; give the server an ACL user of its
// own. What is malformed is counted and ignored: it ends nobody's connection.
package redisadapter
