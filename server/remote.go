package server

import "github.com/seed3686fee0/parlor/adapter"

// A RemoteSocket is a socket of any instance, as FetchSockets describes it. Its
// methods reach the socket wherever it is, through the adapter.
type RemoteSocket struct {
	ns   *Namespace
	info adapter.SocketInfo
}

// ID is the socket's id.
func (r RemoteSocket) ID() string { return r.info.ID }

// Rooms are the rooms that the socket was in.
func (r RemoteSocket) Rooms() []string { return r.info.Rooms }

// Handshake is what the socket was opened with.
func (r RemoteSocket) Handshake() adapter.Handshake { return r.info.Handshake }

// Data is the value that the socket's instance has attached to it, null when
// there is none.
func (r RemoteSocket) Data() Arg { return r.info.Data }

func (r RemoteSocket) to() Broadcast { return r.ns.To(r.info.ID) }

// Emit sends an event to the socket.
func (r RemoteSocket) Emit(event string, args ...any) error { return r.to().Emit(event, args...) }

// Join puts the socket into rooms.
func (r RemoteSocket) Join(rooms ...string) { r.to().SocketsJoin(rooms...) }

// Leave takes the socket out of rooms.
func (r RemoteSocket) Leave(rooms ...string) { r.to().SocketsLeave(rooms...) }

// Disconnect is [Socket.Disconnect].
func (r RemoteSocket) Disconnect(closeConn bool) { r.to().DisconnectSockets(closeConn) }
