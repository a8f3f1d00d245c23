package conformance

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section C, first half: CONNECT and DISCONNECT, and packets that come without them.

// closing are packets that have to end a session, by a name for each.
type closing map[string][]wire.Packet

// checkClosing sends each of the cases on a session of its own, on every transport.
func checkClosing(t *testing.T, joined bool, cases closing) {
	t.Helper()
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		for name, packets := range cases {
			t.Run(name, func(t *testing.T) {
				f := f.in(t)
				s := f.open(transport)
				if joined {
					f.joinOn(s, "/")
				}
				if before := f.wantClosed(s, packets); len(before) != 0 {
					t.Errorf("before the end came %v", before)
				}
				if joined {
					f.wantGone(server.ForcedClose, server.ForcedServerClose)
				}
			})
		}
	})
}

// TestC01_NeverConnects: at its default the connect timeout is 10 s.
func TestC01_NeverConnects(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		w, p := f.rawWS(), f.open(wire.Polling)
		begun := time.Now()
		if _, err := w.ReadFrameWithin(time.Minute); err != nil { // the close frame
			t.Error(err)
		}
		if d := time.Since(begun); d < 9*time.Second || d > 11*time.Second {
			t.Errorf("closed after %v", d)
		}
		time.Sleep(time.Second)
		f.wantClosed(p, nil)
	})
}

func TestC02_BeforeConnect(t *testing.T) {
	checkClosing(t, false, closing{
		"event":                       text(`42["echo",1]`),
		"acknowledgement":             text(`431[]`),
		"disconnect":                  text("41"),
		"header of a binary event":    text(`451-["echo",{"_placeholder":true,"num":0}]`),
		"header of a binary ack":      text(`461-1[{"_placeholder":true,"num":0}]`),
		"event to another namespace":  text(`42/other,["echo",1]`),
		"event to an unknown one":     text(`42/nope,["echo",1]`),
		"binary":                      {binary(0)},
		"event to a dynamic one":      text(`42/dyn-1,["echo",1]`),
		"connect error":               text(`44{"message":"x"}`),
		"event in front of a connect": text(`42["echo",1]`, "40"),
	})
	checkClosing(t, true, closing{
		"event":                    text(`42/other,["echo",1]`),
		"acknowledgement":          text(`43/other,1[]`),
		"disconnect":               text("41/other,"),
		"header of a binary event": text(`451-/other,["echo",{"_placeholder":true,"num":0}]`),
	})
}

// TestC03_ConnectTwice: and never are there two sockets.
func TestC03_ConnectTwice(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		f.wantClose(s, "40")
		f.wantGone(server.ForcedClose, server.ForcedServerClose)

		before := f.connects.Load()
		f.wantClose(f.open(transport), "40", "40")
		f.leave()
		f.settle()
		if n := f.connects.Load() - before; n > 1 {
			t.Errorf("%d sockets were made", n)
		}
	})
}

func TestC04_ConnectPayload(t *testing.T) {
	checkClosing(t, false, closing{
		"string": text(`40"token"`), "array": text(`40["token"]`), "null": text("40null"), "true": text("40true"),
		"to a namespace": text(`40/auth,"token"`), "not JSON": text("40{"), "text behind it": text("40{}x"),
	})
}

// TestC05_UnknownNamespaces: an answer to each of the first ten, and then the end.
func TestC05_UnknownNamespaces(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.open(transport)
		for range 10 {
			f.send(s, "40/nope,")
			f.expect(s, `44/nope,{"message":"Invalid namespace"}`)
		}
		f.wantClosed(s, text("40/nope,"))
	})
}

// TestC05_UnknownNamespacesAtOnce: a thousand of them get a few answers and the end.
func TestC05_UnknownNamespacesAtOnce(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		names := make([]string, 1000)
		for i := range names {
			names[i] = fmt.Sprintf("40/nope-%d,", i)
		}
		before := f.wantClosed(f.open(transport), text(names...))
		if n := len(before); n > 27 { // the refusals that are allowed, beside the namespaces
			t.Errorf("%d answers", n)
		}
		for _, p := range before {
			if !strings.HasPrefix(p.Data, "44/nope-") {
				t.Errorf("got %s", p.Data)
			}
		}
	})
}

// TestC06_DynamicNamespaces: one connection gets 16 namespaces, all of them together as many as the
// server allows; empty ones go, which the fixture's end checks.
func TestC06_DynamicNamespaces(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.open(transport)
		for i := range 16 {
			f.joinOn(s, fmt.Sprintf("/dyn-%d", i))
		}
		before := f.wantClosed(s, text("40/dyn-16,", "40/dyn-17,"))
		if len(before) == 0 || before[0].Data != `44/dyn-16,{"message":"too many namespaces"}` {
			t.Errorf("before the end came %v", before)
		}
	})
}

func TestC06_DynamicNamespacesOfServer(t *testing.T) {
	limits := server.Limits{DynamicNamespaces: 20, RefusedConnects: -1}
	each(t, settings{options: []server.Option{server.WithLimits(limits)}}, func(t *testing.T, f *fixture, transport string) {
		a, b := f.open(transport), f.open(transport)
		for i := range 16 {
			f.joinOn(a, fmt.Sprintf("/dyn-%d", i))
		}
		for i := 16; i < 20; i++ {
			f.joinOn(b, fmt.Sprintf("/dyn-%d", i))
		}
		f.joinOn(b, "/dyn-0") // is there already
		if answer, err := wire.Join(b, "/dyn-20"); err != nil || !strings.HasPrefix(answer, `44/dyn-20,{"message":`) {
			t.Errorf("over the server's limit: %s, %v", answer, err)
		}
		f.send(b, "41/dyn-19,")
		f.send(b, `42/dyn-0,["echo",1]`)
		f.expect(b, `42/dyn-0,["echo",1]`) // so the namespace that was left is gone, or will be
		for range 100 {
			answer, err := wire.Join(b, "/dyn-20")
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(answer, "40") {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Error("an empty namespace keeps its place")
	})
}

func TestC07_NamespaceName(t *testing.T) {
	checkClosing(t, false, closing{
		"257 bytes": text("40/" + strings.Repeat("n", 256) + ","), "10 KB": text("40/" + strings.Repeat("n", 10_000) + ","),
		"NUL": text("40/a\x00b,"), "CR": text("40/a\rb,"), "LF": text("40/a\nb,"), "0x1f": text("40/a\x1fb,"),
		"hash": text("40/a#b,"), "dots": text("40/../etc,"), "query": text("40/a?b=c,"),
	})
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.open(transport)
		name := "/" + strings.Repeat("n", 255)
		f.send(s, "40"+name+",")
		f.expect(s, "44"+name+`,{"message":"Invalid namespace"}`)
	})
}

// TestC07_NamespaceOf100KB: more than anybody may send who has not been let in.
func TestC07_NamespaceOf100KB(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.open(transport)
		before := f.wantClosedOrRefused(s, text("40/"+strings.Repeat("n", 100_000)+","), wire.CloseTooBig)
		if len(before) != 0 {
			t.Errorf("got %s", wire.Shorten(before[0].Data))
		}
	})
}

// TestC08_NamespaceMatcher: an application's matcher that panics or hangs refuses; nobody else waits.
func TestC08_NamespaceMatcher(t *testing.T) {
	f := startServer(t, settings{noisy: true})
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	f.io.OfFunc(func(ctx context.Context, name string, _ server.Arg) bool {
		switch name {
		case "/panics":
			panic("matcher")
		case "/hangs":
			<-hang
		case "/waits":
			<-ctx.Done()
		}
		return false
	})
	waiting := map[wire.Session]string{}
	for _, transport := range wire.Transports() {
		for _, name := range []string{"/panics", "/hangs", "/waits"} {
			s := f.open(transport)
			f.send(s, "40"+name+",")
			waiting[s] = name
		}
	}
	begun := time.Now()
	for s, name := range waiting {
		f.expect(s, "44"+name+`,{"message":"Invalid namespace"}`)
		f.joinOn(s, "/")
	}
	if d := time.Since(begun); d > f.busy(5*time.Second) {
		t.Errorf("refused after %v", d)
	}
	// RE2 has no catastrophic patterns, whatever an application writes.
	f.io.OfPattern(regexp.MustCompile(`^/(a+)+$`))
	s := f.open(wire.Websocket)
	begun = time.Now()
	name := "/" + strings.Repeat("a", 200) + "b"
	f.send(s, "40"+name+",")
	f.expect(s, "44"+name+`,*`)
	if d := time.Since(begun); d > f.busy(2*time.Second) {
		t.Errorf("the pattern took %v", d)
	}
}

func TestC14_Disconnect(t *testing.T) {
	checkClosing(t, true, closing{
		"payload":                     text("41{}"),
		"array":                       text("41[]"),
		"namespace that is not in":    text("41/other,"),
		"namespace that is not there": text("41/nope,"),
	})
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		f.wantClose(f.join(transport), "41", `42["echo",1]`)
		f.wantGone(server.ClientNamespaceDisconnect)
	})
}
