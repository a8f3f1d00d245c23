// Package server is a Socket.IO server: namespaces and sockets, rooms, events
// and acknowledgements, for the clients of Socket.IO 3 and 4 (protocol 5 on
// Engine.IO 4).
//
//	io := server.New()
//	chat := io.Of("/chat")
//	chat.On("message", func(ctx context.Context, s *server.Socket, args server.Args) error {
//		return s.To("lobby").Emit("message", args.At(0))
//	})
//	http.ListenAndServe(":3000", io)
//
// # Handlers
//
// Handlers belong to a namespace and are there before its first socket. The
// events of one socket are handled one after another, in the order in which
// the client sent them, on a goroutine that exists only while there is work;
// those of different sockets run concurrently. [Detach] lets the next event of
// a socket start while a handler goes on.
//
// A handler's error is logged, once, where [WithLogger] says. The client is told
// only of a [*ClientError]. A panic is recovered and logged with its stack; its
// acknowledgement is the error "internal".
//
// The context of a handler is cancelled when its socket is closed, with a
// [*DisconnectError] as its cause; that of a disconnect handler is not.
//
// # Delivery
//
// Messages are delivered at most once, in order, for as long as a connection
// lives, also while it moves from polling to WebSocket. Emits to one socket
// leave in the order of the calls. Broadcasts to a room from one instance reach
// all its members there in one order. The error of an emit is about its name or
// about encoding its arguments: that somebody could not be reached is not the
// emitter's failure, and trying again would deliver twice.
//
// # Locks
//
// In this order, and none of them is held while a handler or hook runs, while
// something is sent, or while another instance is waited for: Server.mu, the
// adapter's, conn.mu, engine.Session's. The exceptions are [Observer] and
// [PacketObserver], which say what they are told under a lock. A broadcast holds the adapter's lock
// while it queues for the members of a room, which takes the sessions' locks
// one by one.
package server
