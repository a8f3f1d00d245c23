package wire

import "github.com/seed3686fee0/parlor/server/packet"

// The numbers of the sharded form.
const (
	shardedBroadcast  = 3
	shardedJoin       = 4
	shardedLeave      = 5
	shardedDisconnect = 6
	shardedFetch      = 7
	shardedSockets    = 8
	shardedServerSide = 9
	shardedAnswer     = 10
	shardedClients    = 11
	shardedAcked      = 12
)

// AppendSharded encodes a message in the sharded form. What it returns is the
// caller's.
func AppendSharded(m *Message) ([]byte, error) {
	w := newWriter()
	defer w.free()
	w.raw("{")
	w.sharded(m)
	w.string("uid", m.UID)
	w.string("nsp", m.Namespace)
	w.raw("}")
	return w.finish(false)
}

func (w *writer) sharded(m *Message) {
	begin := func(kind int) {
		w.int("type", kind)
		w.member("data")
		w.raw("{")
	}
	switch m.Op {
	case Broadcast, Ask:
		begin(shardedBroadcast)
		w.member("packet")
		w.packet(m.Args, "")
		w.optional("requestId", m.RequestID)
		w.member("opts")
		w.target(&m.Target, true)
		if m.WantsGone {
			w.bool("gone", true)
		}
	case Join, Leave:
		begin(map[Op]int{Join: shardedJoin, Leave: shardedLeave}[m.Op])
		w.member("opts")
		w.target(&m.Target, true)
		w.strings("rooms", m.Rooms)
	case Disconnect:
		begin(shardedDisconnect)
		w.member("opts")
		w.target(&m.Target, true)
		w.bool("close", m.Close)
	case Fetch:
		begin(shardedFetch)
		w.member("opts")
		w.target(&m.Target, true)
		w.string("requestId", m.RequestID)
	case Sockets:
		begin(shardedSockets)
		w.string("requestId", m.RequestID)
		w.sockets(m.Sockets)
	case ServerSide:
		begin(shardedServerSide)
		w.optional("requestId", m.RequestID)
		w.member("packet")
		w.array(m.Args)
	case Answer:
		begin(shardedAnswer)
		w.string("requestId", m.RequestID)
		w.values("packet", m.Args)
	case Clients:
		begin(shardedClients)
		w.string("requestId", m.RequestID)
		w.int("clientCount", m.Clients)
	case Acked:
		begin(shardedAcked)
		w.string("requestId", m.RequestID)
		w.values("packet", m.Args)
		if m.Gone {
			w.bool("gone", true)
		}
	default:
		w.err = errType
		w.raw("{")
	}
	w.raw("}")
}

// Sharded reads a message in the sharded form.
func (r *Reader) Sharded(payload string) (*Message, error) {
	m := &Message{}
	if err := r.sharded(m, payload); err != nil {
		return nil, refuse("message", err)
	}
	return m, nil
}

func (r *Reader) sharded(m *Message, payload string) error {
	all, err := r.value(payload)
	if err != nil {
		return err
	}
	kind := -1
	var data packet.Arg
	if err := walk(all, func(name string, v packet.Arg) (err error) {
		switch name {
		case "type":
			kind, err = integer(v)
		case "data":
			data = v
		case "uid":
			m.UID, err = text(v)
		case "nsp":
			m.Namespace, err = text(v)
		}
		return err
	}); err != nil {
		return err
	}
	if m.UID == "" || m.Namespace == "" {
		return errShape
	}
	var opts, rooms, inner, more, sockets packet.Arg
	has := false
	if err := walk(data, func(name string, v packet.Arg) (err error) {
		switch name {
		case "opts":
			opts = v
		case "requestId":
			m.RequestID, err = text(v)
		case "rooms":
			rooms = v
		case "close":
			m.Close, _ = v.Bool()
		case "packet":
			inner, has = v, true
		case "more":
			more = v
		case "sockets":
			sockets = v
		case "clientCount":
			m.Clients, err = integer(v)
		case "gone":
			m.Gone, _ = v.Bool()
		}
		return err
	}); err != nil {
		return err
	}
	switch kind {
	case shardedBroadcast, shardedJoin, shardedLeave, shardedDisconnect, shardedFetch:
		if opts.Kind() != packet.Object {
			return errOptions
		}
		if m.Target, err = options(opts); err != nil {
			return err
		}
	}
	switch kind {
	case shardedBroadcast:
		m.Op, m.WantsGone, m.Gone = Broadcast, m.Gone, false
		if m.RequestID != "" {
			m.Op = Ask
		}
		namespace := m.Namespace
		err = packetOf(m, inner)
		m.Namespace = namespace // of the envelope
		return err
	case shardedJoin, shardedLeave:
		m.Op = map[int]Op{shardedJoin: Join, shardedLeave: Leave}[kind]
		m.Rooms, err = names(rooms)
		return err
	case shardedDisconnect:
		m.Op = Disconnect
		return nil
	case shardedFetch:
		m.Op = Fetch
		return need(m, nil)
	case shardedServerSide:
		m.Op = ServerSide
		return m.serverSide(inner)
	case shardedSockets:
		m.Op = Sockets
		if m.Sockets, err = described(sockets); err != nil {
			return err
		}
		return need(m, nil)
	case shardedAnswer, shardedAcked:
		m.Op = map[int]Op{shardedAnswer: Answer, shardedAcked: Acked}[kind]
		return need(m, answer(m, inner, has, more))
	case shardedClients:
		m.Op = Clients
		return need(m, nil)
	}
	return errType
}
