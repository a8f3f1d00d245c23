// Package nodewire has the Redis adapter of github.com/zishang520/socket.io/v2,
// github.com/zishang520/socket.io-go-redis, write broadcasts as Node's
// @socket.io/redis-adapter 8.3 does, and read what that one writes. With it, its
// instances share rooms with Parlor's and Node's:
//
//	opts := adapter.DefaultRedisAdapterOptions()
//	opts.SetParser(nodewire.Parser{})
//	config.SetAdapter(&adapter.RedisAdapterBuilder{Redis: client, Opts: opts})
//
// All instances of a cluster need it, or none. To use it, copy this file: it is
// not part of what Parlor promises to keep.
package nodewire

import (
	"bytes"
	"errors"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	buffers "github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"
)

// Parser is for RedisAdapterOptions.SetParser. It has no state.
type Parser struct{}

// A broadcast is an array of these three.
type broadcast struct {
	_msgpack struct{} `msgpack:",as_array"` //nolint:unused // read by msgpack

	UID    adapter.ServerId
	Packet packet
	Opts   options
}

// A packet has 2 as its type: an event.
type packet struct {
	Type int    `msgpack:"type"`
	Data []any  `msgpack:"data"`
	Nsp  string `msgpack:"nsp"`
}

const event = 2

type options struct {
	Rooms  []socket.Room `msgpack:"rooms"`
	Except []socket.Room `msgpack:"except"`
	Flags  flags         `msgpack:"flags"`
}

type flags struct {
	Volatile bool  `msgpack:"volatile,omitempty"`
	Compress *bool `msgpack:"compress,omitempty"` // true when missing
	Timeout  int64 `msgpack:"timeout,omitempty"`  // in milliseconds
}

// A question is a broadcast that clients acknowledge.
type question struct {
	UID       adapter.ServerId    `msgpack:"uid"`
	RequestID string              `msgpack:"requestId"`
	Type      adapter.MessageType `msgpack:"type"`
	Packet    packet              `msgpack:"packet"`
	Opts      options             `msgpack:"opts"`
}

// A reply is what one client acknowledges with. Its first argument travels.
type reply struct {
	Type      adapter.MessageType `msgpack:"type"`
	RequestID string              `msgpack:"requestId"`
	Packet    any                 `msgpack:"packet"`
}

// Encode implements the adapter's Parser.
func (Parser) Encode(v any) ([]byte, error) {
	switch m := v.(type) {
	case *types.RedisPacket:
		v = &broadcast{UID: m.Uid, Packet: fromPacket(m.Packet), Opts: fromOptions(m.Opts)}
	case *types.RedisRequest:
		v = &question{UID: m.Uid, RequestID: m.RequestId, Type: m.Type, Packet: fromPacket(m.Packet), Opts: fromOptions(m.Opts)}
	case *types.RedisResponse:
		r := &reply{Type: m.Type, RequestID: m.RequestId}
		if len(m.Packet) > 0 {
			r.Packet = plain(m.Packet[0])
		}
		v = r
	}
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.UseCompactInts(true)
	err := e.Encode(v)
	return b.Bytes(), err
}

// Decode implements the adapter's Parser.
func (Parser) Decode(data []byte, v any) error {
	switch to := v.(type) {
	case **types.RedisPacket:
		var m broadcast
		if err := msgpack.Unmarshal(data, &m); err != nil {
			return err
		}
		p, err := m.Packet.packet()
		*to = &types.RedisPacket{Uid: m.UID, Packet: p, Opts: m.Opts.options()}
		return err
	case **types.RedisRequest:
		var m question
		if err := msgpack.Unmarshal(data, &m); err != nil {
			return err
		}
		p, err := m.Packet.packet()
		*to = &types.RedisRequest{Uid: m.UID, RequestId: m.RequestID, Type: m.Type, Packet: p, Opts: m.Opts.options()}
		return err
	case **types.RedisResponse:
		var m reply
		if err := msgpack.Unmarshal(data, &m); err != nil {
			return err
		}
		*to = &types.RedisResponse{Type: m.Type, RequestId: m.RequestID, Packet: []any{m.Packet}}
		return nil
	}
	return msgpack.Unmarshal(data, v)
}

func fromPacket(p *parser.Packet) packet {
	data, _ := plain(p.Data).([]any)
	return packet{Type: event, Data: data, Nsp: p.Nsp}
}

func (p packet) packet() (*parser.Packet, error) {
	if p.Type != event || len(p.Data) == 0 {
		return nil, errors.New("nodewire: not an event")
	}
	return &parser.Packet{Type: parser.EVENT, Data: p.Data, Nsp: p.Nsp}, nil
}

func fromOptions(o *adapter.PacketOptions) options {
	to := options{Rooms: []socket.Room{}, Except: []socket.Room{}}
	if o == nil {
		return to
	}
	to.Rooms = append(to.Rooms, o.Rooms...)
	to.Except = append(to.Except, o.Except...)
	if f := o.Flags; f != nil {
		to.Flags.Volatile = f.Volatile // false in Compress may only mean that nobody has set it
		if f.Timeout != nil {
			to.Flags.Timeout = f.Timeout.Milliseconds()
		}
	}
	return to
}

func (o options) options() *adapter.PacketOptions {
	f := &socket.BroadcastFlags{}
	f.Volatile = o.Flags.Volatile
	f.Compress = o.Flags.Compress == nil || *o.Flags.Compress
	if o.Flags.Timeout > 0 {
		timeout := time.Duration(o.Flags.Timeout) * time.Millisecond
		f.Timeout = &timeout
	}
	return &adapter.PacketOptions{Rooms: o.Rooms, Except: o.Except, Flags: f}
}

// plain has bytes for what clients have sent as bytes.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = plain(x)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, x := range v {
			m[k] = plain(x)
		}
		return m
	case *buffers.StringBuffer:
		return v.String()
	case buffers.BufferInterface:
		return v.Bytes()
	}
	return v
}
