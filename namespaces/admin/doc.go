// Package admin is the server side of the official Socket.IO Admin UI, the page
// of npm's @socket.io/admin-ui: a namespace in which admins see the servers,
// sockets, rooms, clients and events of a cluster, and move and disconnect
// sockets.
//
//	io := server.New()
//	a, err := admin.Mount(io, admin.Options{
//		Auth: admin.Basic("admin", "$2a$10$…"),
//	})
//	…
//	defer a.Close()
package admin
