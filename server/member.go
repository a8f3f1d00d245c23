package server

import (
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A member is a socket as its namespace's adapter sees it: what an adapter may
// do with a socket is no part of the socket's API.
type member Socket

var _ adapter.Reacher = (*member)(nil)

func (m *member) socket() *Socket { return (*Socket)(m) }

// ID implements [adapter.Member].
func (m *member) ID() string { return m.id }

// Reachable implements [adapter.Reacher].
func (m *member) Reachable() bool { return m.socket().reachable() }

// Deliver implements [adapter.Member].
func (m *member) Deliver(p *packet.Shared, f adapter.Flags) (flush bool) {
	if !m.socket().reachable() {
		return false
	}
	enc, err := packet.Encoding(p, m.conn.server.wire.format(f))
	if err != nil { // the emitter was told
		return false
	}
	m.socket().sent(p.Packet())
	return m.conn.session.Send(m.conn.server.eventFlags(f), enc.messages...)
}

// Flush implements [adapter.Member].
func (m *member) Flush() { m.conn.session.Flush() }

// Ask implements [adapter.Member].
func (m *member) Ask(p *packet.Shared, f adapter.Flags, reply func(packet.Args, bool)) (flush bool) {
	if err := m.socket().await(p.Packet().ID, reply); err != nil {
		reply(packet.Args{}, false)
		return false
	}
	return m.Deliver(p, f)
}

// Forget implements [adapter.Member].
func (m *member) Forget(id uint64) { m.socket().forget(id) }

// Disconnect implements [adapter.Member].
func (m *member) Disconnect(closeConn bool) { m.socket().Disconnect(closeConn) }

// Describe implements [adapter.Member].
func (m *member) Describe() adapter.SocketInfo {
	s := m.socket()
	info := adapter.SocketInfo{ID: s.id, Handshake: s.Handshake().describe()}
	if v := s.Data(); v != nil {
		args, err := packet.NewArgs(v)
		if err != nil {
			s.log().Error("data of a socket cannot be encoded", "socket", s.id, "error", err)
		} else {
			info.Data = args.At(0)
		}
	}
	for _, f := range s.conn.server.describers() {
		s.conn.server.guard(s.ns.name, "description of a socket", func() { f(s, &info) })
	}
	return info
}
