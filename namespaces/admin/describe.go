package admin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A socketInfo is a socket as the page wants it, with what is secret masked.
type socketInfo struct {
	ID        string          `json:"id"`
	ClientID  string          `json:"clientId"` // the same for the sockets of one connection
	Transport string          `json:"transport"`
	Namespace string          `json:"nsp"`
	Data      json.RawMessage `json:"data"` // an object
	Handshake handshakeInfo   `json:"handshake"`
	Rooms     []string        `json:"rooms"` // its own first
}

type handshakeInfo struct {
	Address string            `json:"address"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
	Issued  int64             `json:"issued"` // milliseconds since 1970
	Secure  bool              `json:"secure"`
	Time    string            `json:"time"`
	URL     string            `json:"url"`
	XDomain bool              `json:"xdomain"`
}

// adminKey is the member of a socket's data by which instances tell each other
// what the description of a socket has no place for. It is Node's, and what
// admins are shown is without it.
const adminKey = "_admin"

type hidden struct {
	ClientID  string `json:"clientId"`
	Transport string `json:"transport"`
}

// complete is the server's hook for what other instances are told of a socket.
// Data that is no object has no place for more.
func (a *Admin) complete(s *server.Socket, info *adapter.SocketInfo) {
	data := make(map[string]any)
	switch info.Data.Kind() {
	case packet.Null:
	case packet.Object:
		for name, v := range info.Data.Fields() {
			data[name] = v
		}
	default:
		return
	}
	data[adminKey] = hidden{s.ClientID(), s.Transport()}
	if args, err := packet.NewArgs(data); err == nil {
		info.Data = args.At(0)
	}
}

// local describes a socket of this instance that is in the rooms.
func (a *Admin) local(s *server.Socket, rooms []string) socketInfo {
	h := s.Handshake()
	headers := make(map[string]string)
	for name, values := range h.Header() {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return socketInfo{
		ID:        s.ID(),
		ClientID:  s.ClientID(),
		Transport: s.Transport(),
		Namespace: s.Namespace().Name(),
		Data:      a.localData(s),
		Handshake: a.handshake(adapter.Handshake{
			Headers: headers,
			Time:    h.Time(),
			Address: h.Address(),
			XDomain: headers["origin"] != "",
			Secure:  h.Secure(),
			Issued:  h.Issued.UnixMilli(),
			URL:     h.URL(),
			Query:   lastValues(h.Query()),
		}),
		Rooms: shownRooms(rooms),
	}
}

// remote describes a socket of another instance.
func (a *Admin) remote(ns string, r server.RemoteSocket) socketInfo {
	var more hidden
	data := r.Data()
	if data.Kind() == packet.Object {
		rest := maps.Collect(data.Fields())
		// Whatever another kind of server has put there.
		if err := rest[adminKey].Decode(&more); err != nil {
			more = hidden{}
		}
		delete(rest, adminKey)
		if args, err := packet.NewArgs(rest); err == nil {
			data = args.At(0)
		}
	}
	return socketInfo{
		ID:        r.ID(),
		ClientID:  more.ClientID,
		Transport: more.Transport,
		Namespace: ns,
		Data:      a.data(ns, data),
		Handshake: a.handshake(r.Handshake()),
		Rooms:     shownRooms(r.Rooms()),
	}
}

// shownRoom reports whether a room is one to show. Those whose names begin with a NUL
// are what a namespace keeps for itself: the chat has one for each user.
func shownRoom(room string) bool { return !strings.HasPrefix(room, "\x00") }

// shownRooms returns those that are to be shown; never nil, which the page could
// not stand.
func shownRooms(rooms []string) []string {
	list := make([]string, 0, len(rooms))
	for _, room := range rooms {
		if shownRoom(room) {
			list = append(list, room)
		}
	}
	return list
}

func (a *Admin) handshake(h adapter.Handshake) handshakeInfo {
	return handshakeInfo{
		Address: h.Address,
		Headers: shown(h.Headers, a.header),
		Query:   shown(h.Query, a.query),
		Issued:  h.Issued,
		Secure:  h.Secure,
		Time:    h.Time,
		URL:     shorten(a.url(h.URL), maxValue),
		XDomain: h.XDomain,
	}
}

const (
	maxValue  = 1 << 10 // bytes of a header, or of a parameter of the query
	maxValues = 8 << 10 // of all headers, with their names
)

// shown is what show makes of headers, or of a query, as far as there is room: a
// client chooses how long they are, and admins are told of each that comes.
func shown(values map[string]string, show func(name, value string) string) map[string]string {
	m := make(map[string]string, len(values))
	left := maxValues
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value := shorten(show(name, values[name]), maxValue)
		name = shorten(name, maxValue)
		if left -= len(name) + len(value); left < 0 {
			m["…"] = "<cut>"
			break
		}
		m[name] = value
	}
	return m
}

func (a *Admin) localData(s *server.Socket) json.RawMessage {
	v := s.Data()
	if v == nil {
		return emptyData
	}
	args, err := packet.NewArgs(v)
	if err != nil { // the server says so where another instance asks
		return emptyData
	}
	return a.data(s.Namespace().Name(), args.At(0))
}

var emptyData = json.RawMessage("{}")

// data is what is shown of a socket's data, as an object.
func (a *Admin) data(namespace string, data packet.Arg) json.RawMessage {
	plain := a.opts.DataFilter != nil
	if plain {
		args, err := packet.NewArgs(a.filterData(namespace, data))
		if err != nil {
			a.opts.Logger.Error("filtered data cannot be encoded", "namespace", namespace, "error", err)
			return emptyData
		}
		data = args.At(0)
	}
	switch data.Kind() {
	case packet.Null:
		return emptyData
	case packet.Object:
		return readableData(data, plain)
	default: // the page merges objects
		text := append([]byte(`{"data":`), readableData(data, plain)...)
		return append(text, '}')
	}
}

func (a *Admin) filterData(namespace string, data packet.Arg) (v any) {
	defer func() {
		if r := recover(); r != nil {
			a.opts.Logger.Error("DataFilter panicked", "namespace", namespace, "error", fmt.Sprint(r), "stack", string(debug.Stack()))
			v = nil
		}
	}()
	return a.opts.DataFilter(namespace, data)
}

func lastValues(values url.Values) map[string]string {
	m := make(map[string]string, len(values))
	for name, list := range values {
		m[name] = list[len(list)-1]
	}
	return m
}
