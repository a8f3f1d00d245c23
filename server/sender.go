package server

import (
	"context"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
)

// A Sender is a socket with modifiers for what is sent next. It is a value:
// nothing is stored on the socket.
type Sender struct {
	socket *Socket
	target adapter.Target
}

// Volatile allows events to be dropped while the client is not ready.
func (s *Socket) Volatile() Sender { return Sender{socket: s}.Volatile() }

// Compress says whether compressing is worth while. Default true.
func (s *Socket) Compress(on bool) Sender { return Sender{socket: s}.Compress(on) }

// Timeout sets how long acknowledgements are waited for.
func (s *Socket) Timeout(d time.Duration) Sender { return Sender{socket: s}.Timeout(d) }

// Broadcast addresses everyone in the namespace but this socket.
func (s *Socket) Broadcast() Broadcast { return Sender{socket: s}.Broadcast() }

// To addresses the sockets in any of the rooms but this one.
func (s *Socket) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is another name for To.
func (s *Socket) In(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// Except addresses everyone but this socket and those in any of the rooms.
func (s *Socket) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Local addresses the sockets of this instance but this one.
func (s *Socket) Local() Broadcast { return s.Broadcast().Local() }

// Volatile allows events to be dropped while a client is not ready.
func (s Sender) Volatile() Sender {
	s.target.Flags.Volatile = true
	return s
}

// Compress says whether compressing is worth while. Default true.
func (s Sender) Compress(on bool) Sender {
	s.target.Flags.NoCompress = !on
	return s
}

// Timeout sets how long acknowledgements are waited for, or until the
// context's deadline, if that is earlier.
func (s Sender) Timeout(d time.Duration) Sender {
	s.target.Timeout = d
	return s
}

// Broadcast addresses everyone in the namespace but the socket.
func (s Sender) Broadcast() Broadcast {
	b := Broadcast{s.socket.ns, s.target}
	b.target.Except = []string{s.socket.id}
	return b
}

// To addresses the sockets in any of the rooms but the socket.
func (s Sender) To(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// In is another name for To.
func (s Sender) In(rooms ...string) Broadcast { return s.Broadcast().To(rooms...) }

// Except addresses everyone but the socket and those in any of the rooms.
func (s Sender) Except(rooms ...string) Broadcast { return s.Broadcast().Except(rooms...) }

// Local addresses the sockets of this instance but the socket.
func (s Sender) Local() Broadcast { return s.Broadcast().Local() }

// Emit sends an event to the socket.
func (s Sender) Emit(event string, args ...any) error {
	return s.socket.emit(s.target.Flags, event, args)
}

// Ask is [Socket.Ask] with the modifiers.
func (s Sender) Ask(ctx context.Context, event string, args ...any) (Args, error) {
	return s.socket.ask(ctx, s.target.Flags, s.target.Timeout, event, args)
}
