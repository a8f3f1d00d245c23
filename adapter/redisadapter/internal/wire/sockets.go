package wire

import (
	"strings"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A socket as instances describe it to each other. The handshake of Node's
// sockets has more members; these are the ones that applications are told of.
type socket struct {
	ID        string     `json:"id"`
	Handshake handshake  `json:"handshake"`
	Rooms     []string   `json:"rooms"`
	Data      packet.Arg `json:"data"`
}

type handshake struct {
	adapter.Handshake

	Auth packet.Arg `json:"auth"`
}

// describe encodes sockets as one argument, an array.
func describe(infos []adapter.SocketInfo) (packet.Args, error) {
	list := make([]socket, len(infos))
	for i, info := range infos {
		list[i] = socket{ID: info.ID, Handshake: handshake{info.Handshake, info.Handshake.Auth}, Rooms: info.Rooms, Data: info.Data}
		if list[i].Rooms == nil {
			list[i].Rooms = []string{}
		}
		if list[i].Handshake.Headers == nil {
			list[i].Handshake.Headers = map[string]string{}
		}
		if list[i].Handshake.Query == nil {
			list[i].Handshake.Query = map[string]string{}
		}
	}
	return packet.NewArgs(list)
}

// described reads sockets. Of one that is described in another way what is
// understood is kept; one without an id is none. Not all members write a list that
// is empty.
func described(a packet.Arg) ([]adapter.SocketInfo, error) {
	switch a.Kind() {
	case packet.Array:
	case packet.Null:
		return nil, nil
	default:
		return nil, errShape
	}
	var infos []adapter.SocketInfo
	for v := range a.Elements() {
		info := adapter.SocketInfo{Handshake: adapter.Handshake{Headers: map[string]string{}, Query: map[string]string{}}}
		err := walk(v, func(name string, v packet.Arg) (err error) {
			switch name {
			case "id":
				info.ID, err = text(v)
			case "rooms":
				info.Rooms, err = names(v)
			case "data":
				info.Data = v
			case "handshake":
				readHandshake(&info.Handshake, v)
			}
			return err
		})
		if err != nil || info.ID == "" {
			return nil, errShape
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func readHandshake(h *adapter.Handshake, a packet.Arg) {
	for name, v := range a.Fields() {
		switch name {
		case "headers":
			for name, text := range texts(v) { // of Go servers the names may be in another case
				h.Headers[strings.ToLower(name)] = text
			}
		case "time":
			h.Time, _ = v.Text()
		case "address":
			h.Address, _ = v.Text()
		case "xdomain":
			h.XDomain, _ = v.Bool()
		case "secure":
			h.Secure, _ = v.Bool()
		case "issued":
			var f float64
			if v.Decode(&f) == nil {
				h.Issued = int64(f)
			}
		case "url":
			h.URL, _ = v.Text()
		case "query":
			h.Query = texts(v)
		case "auth":
			h.Auth = v
		}
	}
}

// texts reads an object of texts. In Node's headers, and in a query, there are
// also lists.
func texts(a packet.Arg) map[string]string {
	m := make(map[string]string)
	for name, v := range a.Fields() {
		switch v.Kind() {
		case packet.String:
			m[name], _ = v.Text()
		case packet.Array:
			var all []string
			for x := range v.Elements() {
				if s, ok := x.Text(); ok {
					all = append(all, s)
				}
			}
			m[name] = strings.Join(all, ", ")
		case packet.Null, packet.Bool, packet.Number, packet.Object, packet.Binary:
		}
	}
	return m
}
