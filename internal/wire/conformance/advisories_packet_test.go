package conformance

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Public advisories that came in as packets and frames. Frames are written as the advisories have them,
// with a mask of zeros.

// TestAdvisory06_AttachmentDigits (CVE-2020-36049): a number as long as the message.
func TestAdvisory06_AttachmentDigits(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	message := wire.Text("45" + strings.Repeat("2", 999_998))
	b := frames(message)
	begun := time.Now()
	n := allocated(func() { f.wantCode(w, b, wire.CloseNone) })
	if d := time.Since(begun); d > f.busy(400*time.Millisecond) {
		t.Errorf("took %v", d)
	}
	if n > 8<<20 { // the message itself, growing, and ours
		t.Errorf("%d bytes were allocated", n)
	}
}

// TestAdvisory10_PlaceholderNumber (CVE-2022-2421).
func TestAdvisory10_PlaceholderNumber(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		f.wantClosed(f.join(transport), []wire.Packet{{Data: `451-["e",{"_placeholder":true,"num":"splice"}]`}, binary(0)})
		f.wantGone(server.ForcedClose, server.ForcedServerClose)
	})
}

// TestAdvisory12_NameIsObject (CVE-2023-32695).
func TestAdvisory12_NameIsObject(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		f.wantClose(f.join(transport), `42[{"toString":"foo"}]`)
	})
}

// TestAdvisory13_ErrorEvent (CVE-2024-38355): an event that nobody listens to.
func TestAdvisory13_ErrorEvent(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.open(transport)
		f.joinOn(s, "/other") // has no catch-all handler
		f.send(s, `42/other,["error"]`, `42/other,["error",{"message":"x"}]`, `42/other,["echo",1]`)
		f.expect(s, `42/other,["echo",1]`)
	})
}

// TestAdvisory15_AttachmentCount (CVE-2026-33151): the header alone is enough to refuse it.
func TestAdvisory15_AttachmentCount(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		f.wantClose(f.join(transport), `459999999-["e"]`)
	})
}

// TestAdvisory16_NoAttachments (CVE-2026-69185): a packet that waits for none, and so for ever.
func TestAdvisory16_NoAttachments(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		f.wantClose(f.join(transport), `450-["e"]`)
	})
}

// TestAdvisory19_ForeignBytes (CVE-2026-45736): bytes of others' messages in a close frame or a message.
// 2,000 random messages over several connections at once stand for a million.
func TestAdvisory19_ForeignBytes(t *testing.T) {
	f := startServer(t, settings{})
	for _, reason := range []string{"", "x", strings.Repeat("r", 123)} {
		w := f.ws()
		f.write(w, wire.Close(4000, reason))
		ce, err := w.WaitClose()
		if err != nil || ce.Code != 4000 || ce.Reason != "" && ce.Reason != reason {
			t.Errorf("got %v, %v, want the reason %q or none", ce, err, reason)
		}
	}
	const header = `451-["echo",{"_placeholder":true,"num":0}]`
	var wg sync.WaitGroup
	for i := range 4 {
		w := f.ws()
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range 500 {
				b := make([]byte, random.IntN(3000))
				for k := range b {
					b[k] = byte(random.Uint32())
				}
				s := `42["echo","` + base64.StdEncoding.EncodeToString(b) + `"]`
				err := w.SendPackets(wire.Packet{Data: header}, wire.Packet{Data: string(b), Binary: true}, wire.Packet{Data: s})
				if err == nil {
					err = wire.Expect(w, header, wire.Packet{Data: string(b), Binary: true}.String(), s)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestAdvisory20_Fragments (CVE-2026-48779, CVE-2026-62389, CVE-2026-42786).
func TestAdvisory20_Fragments(t *testing.T) {
	f := startServer(t, settings{})
	const mask = "\x00\x00\x00\x00"
	for name, b := range map[string]string{
		"empty":  "\x01\x80" + mask + strings.Repeat("\x00\x80"+mask, 200_000),
		"a byte": "\x01\x80" + mask + strings.Repeat("\x00\x81"+mask+"a", 100_000),
	} {
		w := f.ws()
		before := heapInUse()
		f.wantCode(w, []byte(b), wire.ClosePolicy)
		if n := heapInUse() - before; n > 2<<20 {
			t.Errorf("%s: the heap has grown by %d bytes", name, n)
		}
	}
}

// TestAdvisory21_UnreadPongs: pings from a peer that reads nothing. TestD09_PingFlood has the rest.
func TestAdvisory21_UnreadPongs(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	ping := "\x89\xfd\x00\x00\x00\x00" + strings.Repeat("p", 125)
	before := heapInUse()
	var err error
	for range 100 {
		if err = w.Conn.Send(strings.Repeat(ping, 1000)); err != nil {
			break
		}
	}
	if err != nil && !wire.Ended(err) {
		t.Fatal(err)
	}
	if n := heapInUse() - before; n > 4<<20 {
		t.Errorf("the heap has grown by %d bytes", n)
	}
	f.wantGone(server.TransportError)
}

// TestAdvisory22_LengthSum (CVE-2020-27813): a sum of lengths that overflows.
func TestAdvisory22_LengthSum(t *testing.T) {
	f := startServer(t, settings{})
	b := "\x02\x81\x00\x00\x00\x00\x00" + "\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00"
	f.wantCode(f.ws(), []byte(b), wire.CloseTooBig, wire.CloseProtocol)
}

// TestAdvisory23_Length64 (CVE-2026-27889, CVE-2026-1528).
func TestAdvisory23_Length64(t *testing.T) {
	f := startServer(t, settings{})
	f.wantCode(f.ws(), []byte("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04"), wire.CloseProtocol)
	f.wantCode(f.ws(), []byte("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04"), wire.CloseProtocol)
}

// TestAdvisory24_Inflate (CVE-2026-27571, CVE-2026-62963, CVE-2026-39804, CVE-2026-54490, CVE-2026-1526):
// little that inflates to much. Off by default, where RSV1 alone is the breach.
func TestAdvisory24_Inflate(t *testing.T) {
	bomb := frames(wire.Frame{Fin: true, RSV: wire.RSV1, Opcode: wire.OpText, Payload: deflated(t, make([]byte, 20<<20))})
	for on, code := range map[bool]int{false: wire.CloseProtocol, true: wire.CloseTooBig} {
		t.Run(fmt.Sprintf("deflate %t", on), func(t *testing.T) {
			f := startServer(t, settings{options: []server.Option{server.WithPerMessageDeflate(on)}})
			w := f.deflating()
			before := heapInUse()
			f.wantCode(w, bomb, code)
			if n := heapInUse() - before; n > 2_000_000 {
				t.Errorf("the heap has grown by %d bytes", n)
			}
		})
	}
}

// TestAdvisory25_EmptyCompressed: a compressed message of no bytes.
func TestAdvisory25_EmptyCompressed(t *testing.T) {
	f := startServer(t, settings{options: []server.Option{server.WithPerMessageDeflate(true)}})
	f.wantCode(f.deflating(), []byte("\xc1\x80\x00\x00\x00\x00"), wire.CloseNone, wire.CloseInvalidData)
}

// deflating joins "/" over a WebSocket that offers permessage-deflate.
func (f *fixture) deflating() *wire.WS {
	f.t.Helper()
	w, err := wire.OpenWS(f.addr, wire.Handshake{Header: offerDeflate})
	if err != nil {
		f.t.Fatal(err)
	}
	f.track(w)
	f.joinOn(w, "/")
	return w
}

// TestAdvisory26_NotHTTP1: the upgrade of what cannot be upgraded is TestD12_NoHijacker. A tunnel of
// HTTP/2's kind, asked for in HTTP/1.1, is none either.
func TestAdvisory26_NotHTTP1(t *testing.T) {
	f := startServer(t, settings{})
	res, err := wire.Exchange(f.addr, f.request("CONNECT", "EIO=4&transport=websocket", upgradeHeader...))
	if err != nil || res.Status < 400 {
		t.Errorf("got %v, %v", res, err)
	}
}

// TestAdvisory28_Joins (CVE-2026-56811): joins without end.
func TestAdvisory28_Joins(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		names := make([]string, 300)
		for i := range names {
			names[i] = fmt.Sprintf("40/dyn-%d,", i)
		}
		before := f.wantClosed(f.open(transport), text(names...))
		joined := 0
		for _, p := range before {
			if strings.HasPrefix(p.Data, "40/dyn-") {
				joined++
			}
		}
		if joined > 16 {
			t.Errorf("%d namespaces were joined", joined)
		}
		if n := f.io.Stats().Namespaces; n > f.base.namespaces+16 {
			t.Errorf("%d namespaces", n)
		}
	})
}

// TestAdvisory29_Pongs (GHSA-cgwc-pv48-fhj5): a goroutine for each.
func TestAdvisory29_Pongs(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		before := ownGoroutines()
		pongs := slices.Repeat([]string{"3"}, 5000)
		f.send(s, pongs...)
		f.send(s, pongs...)
		if n := ownGoroutines(); n > before+4 { // a writer or a request may be under way
			t.Errorf("%d goroutines, %d before", n, before)
		}
		f.wantEcho(s)
	})
}

// TestAdvisory30_BinaryBeforeConnect (CVE-2026-48804): half a packet that outlives its connection.
func TestAdvisory30_BinaryBeforeConnect(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		f.wantClose(f.open(transport), `451-["echo",{"_placeholder":true,"num":0}]`)
	})
}

// TestAdvisory43_NoPayload: an event of nothing at all.
func TestAdvisory43_NoPayload(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		f.wantClose(f.join(transport), "42")
	})
}

// TestAdvisory43_ConcurrentEmits: many writers on one connection, as many readers of what it says.
func TestAdvisory43_ConcurrentEmits(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		const emitters, events = 64, 30
		known := f.sockets()
		s := f.join(transport)
		victim := f.victim(known)
		var wg sync.WaitGroup
		for range emitters {
			wg.Go(func() {
				for range events {
					if err := errors.Join(victim.Emit("n", bytes.Repeat([]byte("x"), 50)), f.io.Of("/other").Emit("n")); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range emitters * events {
			f.expect(s, `451-["n",{"_placeholder":true,"num":0}]`, wire.Packet{Data: strings.Repeat("x", 50), Binary: true}.String())
		}
		wg.Wait()
		f.wantEcho(s)
	})
}
