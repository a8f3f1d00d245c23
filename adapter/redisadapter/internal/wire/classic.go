package wire

import "github.com/seed3686fee0/parlor/server/packet"

// The numbers of the classic form.
const (
	classicIDs = iota
	classicRooms
	classicJoin
	classicLeave
	classicDisconnect
	classicFetch
	classicServerSide
	classicAsk
	classicClients
	classicAcked
)

// AppendClassic encodes a message in the classic form. What it returns is the
// caller's.
func AppendClassic(m *Message) ([]byte, error) {
	w := newWriter()
	defer w.free()
	if m.Op == Broadcast {
		w.raw("[")
		w.quote(m.UID)
		w.raw(",")
		w.packet(m.Args, m.Namespace)
		w.raw(",")
		w.target(&m.Target, true)
		w.raw("]")
		return w.finish(true)
	}
	w.raw("{")
	asMsgpack := w.classic(m)
	w.raw("}")
	return w.finish(asMsgpack)
}

// classic writes the members of a request or answer, in Node's order.
func (w *writer) classic(m *Message) (asMsgpack bool) {
	switch m.Op {
	case Join, Leave:
		w.optional("uid", m.UID)
		w.int("type", map[Op]int{Join: classicJoin, Leave: classicLeave}[m.Op])
		w.member("opts")
		w.target(&m.Target, false)
		w.strings("rooms", m.Rooms)
	case Disconnect:
		w.optional("uid", m.UID)
		w.int("type", classicDisconnect)
		w.member("opts")
		w.target(&m.Target, false)
		w.bool("close", m.Close)
	case Fetch:
		w.string("uid", m.UID)
		w.string("requestId", m.RequestID)
		w.int("type", classicFetch)
		w.member("opts")
		w.target(&m.Target, false)
	case ServerSide:
		w.string("uid", m.UID)
		w.optional("requestId", m.RequestID)
		w.int("type", classicServerSide)
		w.member("data")
		w.array(m.Args)
	case Ask:
		w.string("uid", m.UID)
		w.string("requestId", m.RequestID)
		w.int("type", classicAsk)
		w.member("packet")
		w.packet(m.Args, m.Namespace)
		w.member("opts")
		w.target(&m.Target, true)
		if m.WantsGone {
			w.bool("gone", true)
		}
		return true
	case Sockets:
		w.string("requestId", m.RequestID)
		w.sockets(m.Sockets)
		w.optional("uid", m.UID)
	case Names:
		w.string("requestId", m.RequestID)
		if m.IsRooms {
			w.strings("rooms", m.Names)
		} else if m.Names != nil {
			w.strings("sockets", m.Names)
		}
	case Answer:
		w.int("type", classicServerSide)
		w.string("requestId", m.RequestID)
		w.values("data", m.Args)
		w.optional("uid", m.UID)
	case Clients:
		w.int("type", classicClients)
		w.string("requestId", m.RequestID)
		w.int("clientCount", m.Clients)
		w.optional("uid", m.UID)
	case Acked:
		w.int("type", classicAcked)
		w.string("requestId", m.RequestID)
		w.values("packet", m.Args)
		if m.Gone {
			w.bool("gone", true)
		}
		w.optional("uid", m.UID)
		return true
	default:
		w.err = errType
	}
	return false
}

// Broadcast reads what came on a channel for broadcasts.
func (r *Reader) Broadcast(payload string) (*Message, error) {
	m := &Message{Op: Broadcast}
	if err := r.broadcast(m, payload); err != nil {
		return nil, refuse("broadcast", err)
	}
	return m, nil
}

func (r *Reader) broadcast(m *Message, payload string) error {
	all, err := r.msgpack(payload)
	if err != nil {
		return err
	}
	if all.Kind() != packet.Array {
		return errShape
	}
	i := 0
	for v := range all.Elements() {
		switch i {
		case 0:
			m.UID, err = text(v)
		case 1:
			err = packetOf(m, v)
		case 2:
			m.Target, err = options(v)
		}
		if err != nil {
			return err
		}
		i++
	}
	if i < 2 {
		return errShape
	}
	if m.Namespace == "" {
		m.Namespace = "/"
	}
	m.Target.Timeout = 0
	return nil
}

// Request reads what came on the channel for requests.
func (r *Reader) Request(payload string) (*Message, error) {
	m := &Message{}
	if err := r.request(m, payload); err != nil {
		return nil, refuse("request", err)
	}
	return m, nil
}

func (r *Reader) request(m *Message, payload string) error {
	all, err := r.value(payload)
	if err != nil {
		return err
	}
	kind := -1
	var opts, rooms, room, data, inner packet.Arg
	hasOpts := false
	if err := walk(all, func(name string, v packet.Arg) (err error) {
		switch name {
		case "uid":
			m.UID, err = text(v)
		case "requestId":
			m.RequestID, err = text(v)
		case "type":
			kind, err = integer(v)
		case "opts":
			opts, hasOpts = v, v.Kind() == packet.Object
		case "rooms":
			rooms = v
		case "sid":
			m.SocketID, err = text(v)
		case "room":
			room = v
		case "close":
			m.Close, _ = v.Bool()
		case "data":
			data = v
		case "packet":
			inner = v
		case "gone":
			m.WantsGone, _ = v.Bool()
		}
		return err
	}); err != nil {
		return err
	}
	if m.Target, err = options(opts); err != nil {
		return err
	}
	switch kind {
	case classicIDs, classicRooms:
		m.Op = ListIDs
		if kind == classicRooms {
			m.Op = ListRooms
		}
		m.Target.Rooms, err = names(rooms)
		return need(m, err)
	case classicJoin, classicLeave, classicDisconnect:
		return m.moves(kind, hasOpts, rooms, room)
	case classicFetch:
		m.Op = Fetch
		if !hasOpts {
			return errOptions
		}
		return need(m, nil)
	case classicServerSide:
		m.Op = ServerSide
		return m.serverSide(data)
	case classicAsk:
		m.Op = Ask
		if !hasOpts {
			return errOptions
		}
		return need(m, packetOf(m, inner))
	}
	return errType
}

// moves reads what puts sockets somewhere: those that options mean, or, from
// versions before 8, one.
func (m *Message) moves(kind int, hasOpts bool, rooms, room packet.Arg) (err error) {
	m.Op = map[int]Op{classicJoin: Join, classicLeave: Leave, classicDisconnect: Disconnect}[kind]
	switch {
	case hasOpts:
		m.SocketID = ""
		m.Rooms, err = names(rooms)
	case m.SocketID == "":
		return errOptions
	default:
		m.Target.Rooms = []string{m.SocketID}
		m.Rooms, err = names(room)
	}
	return err
}

func (m *Message) serverSide(data packet.Arg) (err error) {
	if m.Args, err = list(data); err != nil {
		return err
	}
	if name, ok := m.Args.At(0).Text(); !ok {
		return errEvent
	} else if packet.Reserved(name) || name == "connection" || name == "new_namespace" {
		return errReserved
	}
	return nil
}

func need(m *Message, err error) error {
	if err == nil && m.RequestID == "" {
		return errNoRequest
	}
	return err
}

// Response reads what came on a channel for answers.
func (r *Reader) Response(payload string) (*Message, error) {
	m := &Message{}
	if err := r.response(m, payload); err != nil {
		return nil, refuse("response", err)
	}
	return m, nil
}

func (r *Reader) response(m *Message, payload string) error {
	all, err := r.value(payload)
	if err != nil {
		return err
	}
	kind := -1
	var sockets, rooms, value, more packet.Arg
	has := false
	if err := walk(all, func(name string, v packet.Arg) (err error) {
		switch name {
		case "uid":
			m.UID, err = text(v)
		case "requestId":
			m.RequestID, err = text(v)
		case "type":
			kind, err = integer(v)
		case "sockets":
			sockets = v
		case "rooms":
			rooms = v
		case "clientCount", "clientcount": // the latter of zishang520/socket.io-go-redis
			m.Clients, err = integer(v)
		case "data", "packet":
			value, has = v, true
		case "more":
			more = v
		case "gone":
			m.Gone, _ = v.Bool()
		}
		return err
	}); err != nil {
		return err
	}
	if m.RequestID == "" {
		return errNoRequest
	}
	switch kind {
	case classicServerSide:
		m.Op = Answer
		return answer(m, value, has, more)
	case classicClients:
		m.Op = Clients
		return nil
	case classicAcked:
		m.Op = Acked
		return answer(m, value, has, more)
	case -1: // Node marks only the others
	default:
		return errType
	}
	m.Op = Names
	for v := range sockets.Elements() {
		if v.Kind() == packet.Object {
			m.Op = Sockets
		}
		break
	}
	switch {
	case m.Op == Sockets:
		m.Sockets, err = described(sockets)
	case rooms.Kind() == packet.Array:
		m.IsRooms = true
		m.Names, err = names(rooms)
	case sockets.Kind() == packet.Array:
		if m.Names, err = names(sockets); len(m.Names) == 0 {
			m.Op = Sockets // none
		}
	}
	return err
}
