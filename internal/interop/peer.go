package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/zishang520/engine.io/v2/types"
	"github.com/zishang520/socket.io/v2/socket"
)

// A peer is the server, and what it was told by others.
type peer struct {
	io *socket.Server

	mu   sync.Mutex
	told []any
}

// A command does one operation of the adapter for the sockets that Rooms and
// Except mean.
type command struct {
	ID     int           `json:"id"`
	Op     string        `json:"op"`
	Rooms  []socket.Room `json:"rooms"`
	Except []socket.Room `json:"except"`
	Flags  struct {
		Volatile bool  `json:"volatile"`
		Local    bool  `json:"local"`
		Compress *bool `json:"compress"`
	} `json:"flags"`
	To      []socket.Room `json:"to"`      // of join and leave
	Close   bool          `json:"close"`   // of disconnect
	Args    []any         `json:"args"`    // of emit, ask, tell and askServers, with the event's name
	Timeout int           `json:"timeout"` // of ask, in milliseconds
}

func newPeer(io *socket.Server) (*peer, error) {
	p := &peer{io: io}
	root := io.Of("/", nil)
	return p, errors.Join(
		root.On("connection", func(args ...any) {
			if err := p.connected(args[0].(*socket.Socket)); err != nil {
				fmt.Fprintln(os.Stderr, "interop:", err)
			}
		}),
		root.On("ask", func(args ...any) {
			if ack, ok := args[len(args)-1].(socket.Ack); ok {
				ack([]any{"z"}, nil)
			}
		}),
		root.On("tell", func(args ...any) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.told = append(p.told, args)
		}),
	)
}

// connected puts a client where it asks to be.
func (p *peer) connected(s *socket.Socket) error {
	s.SetData(map[string]any{"from": "zishang520"})
	auth, _ := s.Handshake().Auth.(map[string]any)
	rooms, _ := auth["rooms"].([]any)
	for _, room := range rooms {
		s.Join(socket.Room(fmt.Sprint(room)))
	}
	// What a client sends goes to a room, as in any chat.
	return s.On("say", func(args ...any) {
		if err := s.Nsp().To("all").Emit("said", args...); err != nil {
			fmt.Fprintln(os.Stderr, "interop:", err)
		}
	})
}

func (p *peer) do(c *command) (any, error) {
	root := p.io.Of("/", nil)
	all := root.To(c.Rooms...).Except(c.Except...)
	if c.Flags.Volatile {
		all = all.Volatile()
	}
	if c.Flags.Local {
		all = all.Local()
	}
	if c.Flags.Compress != nil {
		all = all.Compress(*c.Flags.Compress)
	}
	name, args := "", plainArgs(c.Args)
	if len(args) > 0 {
		name, args = fmt.Sprint(args[0]), args[1:]
	}
	switch c.Op {
	case "emit":
		return nil, all.Emit(name, args...)
	case "ask":
		return await(func(ack socket.Ack) error {
			all.Timeout(time.Duration(c.Timeout)*time.Millisecond).EmitWithAck(name, args...)(func(answers []any, _ error) {
				ack(answers, nil) // those that have come, when the time is up
			})
			return nil
		})
	case "fetch":
		return fetch(all)
	case "join":
		all.SocketsJoin(c.To...)
	case "leave":
		all.SocketsLeave(c.To...)
	case "disconnect":
		all.DisconnectSockets(c.Close)
	case "tell":
		return nil, root.ServerSideEmit(name, args...)
	case "askServers":
		return await(root.ServerSideEmitWithAck(name, args...))
	case "serverCount":
		return root.Adapter().ServerCount(), nil
	case "told":
		p.mu.Lock()
		defer p.mu.Unlock()
		return append([]any{}, p.told...), nil
	case "roomSize":
		ids, _ := root.Adapter().Rooms().Load(c.Rooms[0])
		if ids == nil {
			return 0, nil
		}
		return ids.Len(), nil
	default:
		return nil, fmt.Errorf("unknown operation %q", c.Op)
	}
	return nil, nil
}

// await returns what is acknowledged.
func await(ask func(socket.Ack) error) (any, error) {
	type reply struct {
		args []any
		err  error
	}
	c := make(chan reply, 1)
	if err := ask(func(args []any, err error) {
		select {
		case c <- reply{args, err}:
		default:
		}
	}); err != nil {
		return nil, err
	}
	r := <-c
	return r.args, r.err
}

// fetch returns what is known of sockets, by id.
func fetch(from *socket.BroadcastOperator) (any, error) {
	return await(func(ack socket.Ack) error {
		from.FetchSockets()(func(sockets []*socket.RemoteSocket, err error) {
			list := []any{}
			for _, s := range sockets {
				list = append(list, map[string]any{"id": s.Id(), "rooms": s.Rooms().Keys(), "data": s.Data()})
			}
			ack(list, err)
		})
		return nil
	})
}

// plainArgs takes bytes out of their form on the input.
func plainArgs(values []any) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
		if m, ok := v.(map[string]any); ok && len(m) == 1 {
			if s, ok := m["bytes"].(string); ok {
				if b, err := hex.DecodeString(s); err == nil {
					list[i] = b
				}
			}
		}
	}
	return list
}

// shown puts bytes into their form on the output.
func shown(v any) any {
	switch v := v.(type) {
	case []any:
		list := make([]any, len(v))
		for i, x := range v {
			list[i] = shown(x)
		}
		return list
	case []byte:
		return map[string]any{"bytes": hex.EncodeToString(v)}
	case types.BufferInterface:
		return map[string]any{"bytes": hex.EncodeToString(v.Bytes())}
	}
	return v
}
