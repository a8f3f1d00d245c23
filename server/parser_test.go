package server_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// counting is a parser that counts how often it encodes an event.
type counting struct {
	packet.Parser

	events *atomic.Int64
}

func (c counting) Append(dst []byte, p *packet.Packet) (message []byte, attachments [][]byte, err error) {
	if p.Type == packet.Event {
		c.events.Add(1)
	}
	return c.Parser.Append(dst, p)
}

const (
	msgpackConnect = "\x83\xa4type\x00\xa4data\xd4\x00\x00\xa3nsp\xa1/"
	msgpackEvent   = "\x83\xa4type\x02\xa4data\x92\xa1e\x01\xa3nsp\xa1/" // ["e", 1]
)

// enter connects to "/" in MessagePack.
func enter(t testing.TB, s wire.Session) {
	t.Helper()
	if err := s.SendPackets(binary(msgpackConnect)); err != nil {
		t.Fatal(err)
	}
	if got := nextBinary(t, s); !wire.Match("\x83\xa4type\x00\xa4data\x81\xa3sid\xb4*\xa3nsp\xa1/", got) {
		t.Fatalf("the answer to a CONNECT is %q", got)
	}
}

func binary(data string) wire.Packet { return wire.Packet{Data: data, Binary: true} }

func nextBinary(t testing.TB, s wire.Session) string {
	t.Helper()
	p, err := s.Next()
	if err != nil || !p.Binary {
		t.Fatalf("%v, %v, want a binary message", p, err)
	}
	return p.Data
}

// A parser that is not packet's own is asked once a broadcast, whatever the
// transports and the number of those who get it.
func TestParserEncodesOnce(t *testing.T) {
	for _, parser := range []packet.Parser{packet.JSON{}, msgpack.Parser{}} {
		t.Run(parser.Name(), func(t *testing.T) {
			var events atomic.Int64
			r := serve(t, server.WithParser(counting{parser, &events}))
			var sessions []wire.Session
			for _, transport := range append(wire.Transports(), wire.Transports()...) {
				s, err := wire.Open(r.addr, transport)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if p, ok := s.(*wire.Poll); ok {
					defer p.Leave() // so that the server need not wait for its polls
				}
				if parser.Binary() {
					enter(t, s)
				} else if _, err := wire.Join(s, "/"); err != nil {
					t.Fatal(err)
				}
				sessions = append(sessions, s)
			}
			r.must(r.Of("/").Emit("e", 1))
			for _, s := range sessions {
				p, err := s.Next()
				if want := map[bool]string{true: msgpackEvent, false: `42["e",1]`}[parser.Binary()]; err != nil || p.Data != want || p.Binary != parser.Binary() {
					t.Errorf("got %q, %v, want %q", p.Data, err, want)
				}
			}
			if n := events.Load(); n != 1 {
				t.Errorf("encoded %d times", n)
			}
			r.must(r.Of("/").Compress(false).Emit("e", 1))
			if n := events.Load(); n != 2 {
				t.Errorf("encoded %d times", n-1)
			}
		})
	}
}

// What is no MessagePack packet ends the connection, as a parse error does, and
// nothing else.
func TestMsgpackRefused(t *testing.T) {
	for name, bad := range map[string]wire.Packet{
		"text":            wire.Packet{Data: `42["e",1]`},
		"no MessagePack":  binary("\xc1"),
		"nothing":         binary(""),
		"half a packet":   binary(msgpackEvent[:8]),
		"a long array":    binary("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\xdd\xff\xff\xff\xff"),
		"a bomb":          binary("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e" + strings.Repeat("\x91", 900_000)),
		"no namespace":    binary("\x82\xa4type\x02\xa4data\x91\xa1e"),
		"another one":     binary("\x83\xa4type\x02\xa3nsp\xa2/x\xa4data\x91\xa1e"),
		"over MaxPayload": binary("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e\xc6\x00\x0f\x42\x40" + strings.Repeat("x", 1_000_000)),
		"reserved":        binary("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xaadisconnect"),
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, server.WithParser(msgpack.Parser{}))
			reasons := make(chan server.Reason, 1)
			r.Of("/").On("e", func(_ context.Context, s *server.Socket, args server.Args) error { return s.Emit("e", args.At(0)) })
			r.Of("/").OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) { reasons <- reason })
			c, other := r.dial(), r.dial()
			enter(t, c)
			enter(t, other)
			_ = c.SendPackets(bad) // the end may come while it is written
			c.closed()
			if got := receive(t, "the reason", reasons); got != server.ForcedClose && name != "over MaxPayload" {
				t.Errorf("reason %q", got)
			}
			r.must(other.SendPackets(binary(msgpackEvent)))
			if got := nextBinary(t, other); got != msgpackEvent {
				t.Errorf("%x", got)
			}
		})
	}
}

// Before it is admitted a client may send 16 KiB at most, in whatever form.
func TestMsgpackBeforeAdmission(t *testing.T) {
	r := serve(t, server.WithParser(msgpack.Parser{}))
	auth := func(n int) string {
		return "\x83\xa4type\x00\xa3nsp\xa1/\xa4data\x81\xa1a\xda" + string([]byte{byte(n >> 8), byte(n)}) + strings.Repeat("x", n)
	}
	c := r.dial()
	r.must(c.SendPackets(binary(auth(16 << 10))))
	c.closed()
	if n := r.Stats().Sockets; n != 0 {
		t.Errorf("%d sockets", n)
	}
	c = r.dial()
	r.must(c.SendPackets(binary(auth(15 << 10))))
	if got := nextBinary(t, c); !strings.HasPrefix(got, "\x83\xa4type\x00\xa4data\x81\xa3sid") {
		t.Errorf("%q", got)
	}
}

func TestParserNil(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("WithParser(nil) does not panic")
		}
	}()
	server.WithParser(nil)
}
