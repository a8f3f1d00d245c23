// Package admin is the server side of the official Socket.IO Admin UI, the page
// of npm's @socket.io/admin-ui: a namespace in which admins see the servers,
// sockets, rooms, clients and events of a cluster, and move and disconnect
// sockets. The page works as it is; [UI] serves it, and (*Admin).API is for
// programs.
//
//	io := server.New()
//	a, err := admin.Mount(io, admin.Options{
//		Auth: admin.Basic("ops", "$2a$10$…"),
//	})
//	…
//	defer a.Close()
//
// # What admins are told
//
// An admin who logs in gets session {id}, to show when it comes again; config
// {supportedFeatures}, which is what it may do; all_sockets, those of this
// instance at once and those of others when they have answered; and server_stats,
// with the last ten minutes. Then it is told what happens: socket_connected,
// socket_updated, socket_disconnected, room_joined, room_left, event_received,
// event_sent, and server_stats of each server every two seconds. It may send emit,
// join, leave and _disconnect; each may be acknowledged, with {ok, count} or
// {error}.
//
// What happens on an instance is told in the order in which it happens there, and
// what a list has already is not told again. Nobody waits for an admin: one who does
// not keep up is disconnected, and when more happens than can be told, lists are
// sent anew.
//
// # What it costs
//
// While nobody watches, nothing but a look at the server's counters every second.
// While somebody does, what happens is queued where it happens and told by one
// goroutine; events of clients beyond [Options.Load] are counted there and then.
//
// # Secrets
//
// Cookies, tokens and passwords are masked in all that is shown: see [Harmless].
// Credentials are in no log. A refusal says the same whatever was wrong. Passwords
// are compared a few at a time, on nobody's connection, and an address that fails
// often is not looked at for a while. Sessions end when what they were made with is
// not good any more.
package admin
