package engine_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestPayload: what has gathered leaves in one payload, binary as base64, and
// no payload but that of one large message is over the limit.
func TestPayload(t *testing.T) {
	bubble(t, engine.Options{MaxPayload: 1000}, func(t *testing.T, f *fixture) {
		_, s := f.openPoll()
		s.text("a")
		s.Send(0, engine.NewText("b"), engine.NewBinary([]byte{1, 2, 3}))
		if got := s.polled(t); got != "4a\x1e4b\x1ebAQID" {
			t.Errorf("got %q", got)
		}
		for range 3 {
			s.text(long(498))
		}
		s.text(long(2000))
		s.text("end")
		for _, want := range []int{499 + 1 + 499, 499, 2001, 4} {
			if got := s.polled(t); len(got) != want {
				t.Errorf("got %d bytes, want %d", len(got), want)
			}
		}
		s.Close(engine.ForcedClose)
		s.polled(t)
	})
}

// TestPollingLimits: at the limit a payload is taken, over it 413, with its
// length declared or in chunks; the session lives.
func TestPollingLimits(t *testing.T) {
	const limit = 100_000
	bubble(t, engine.Options{MaxPayload: limit, UnadmittedPayload: 100}, func(t *testing.T, f *fixture) {
		c, s := f.openPoll()
		post := func(n int, chunked bool) int {
			t.Helper()
			body := "4" + long(n-1)
			if !chunked {
				r, err := c.Post(body)
				ok(t, err)
				return r.Status
			}
			r, err := wire.Exchange(f.addr, fmt.Sprintf(
				"POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n",
				s.ID(), n, body))
			ok(t, err)
			return r.Status
		}
		for _, chunked := range []bool{false, true} {
			for n, want := range map[int]int{100: 200, 101: 413} {
				if got := post(n, chunked); got != want {
					t.Errorf("%d bytes, unadmitted, chunked %v: %d, want %d", n, chunked, got, want)
				}
			}
		}
		s.Admit()
		for _, chunked := range []bool{false, true} {
			for n, want := range map[int]int{limit: 200, limit + 1: 413, 3 * limit: 413} {
				if got := post(n, chunked); got != want {
					t.Errorf("%d bytes, chunked %v: %d, want %d", n, chunked, got, want)
				}
			}
		}
		for _, want := range []int{100, 100, limit, limit} {
			if got := <-s.texts; len(got)+1 != want {
				t.Errorf("a message of %d bytes, want %d", len(got)+1, want)
			}
		}
		if len(s.ended)+len(s.texts) > 0 {
			t.Error("ended, or more messages than were sent")
		}
	})
}

// TestPostRefused: what is not taken, and what becomes of the session.
func TestPostRefused(t *testing.T) {
	for body, want := range map[string]engine.Reason{
		"abc": engine.ParseError, "": engine.ParseError, "4a\x1e": engine.ParseError, "b!!!": engine.ParseError, "4\xff": engine.ParseError,
	} {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			c, s := f.openPoll()
			r, err := c.Post(body)
			ok(t, err)
			if r.Status != http.StatusBadRequest {
				t.Errorf("%q: %v", body, r)
			}
			s.wantEnd(t, want)
			wantClose(t, c, wire.ClosePollingClosed)
		})
	}
}

// TestPollOverlap: the second of two polls, or POSTs, is refused, the first is
// ended, and so is the session.
func TestPollOverlap(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		c, s := f.openPoll()
		first := make(chan *wire.Response, 1)
		go func() { r, _ := c.Get(); first <- r }()
		synctest.Wait()
		second, err := c.Get()
		ok(t, err)
		if r := <-first; r == nil || r.Status != http.StatusOK || r.Body != "1" || second.Status != http.StatusBadRequest {
			t.Errorf("first %v, second %v", r, second)
		}
		s.wantEnd(t, engine.TransportError)
	})
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		c, s := f.openPoll()
		half, err := wire.Dial(f.addr)
		ok(t, err)
		ok(t, half.Send("POST /socket.io/?EIO=4&transport=polling&sid="+s.ID()+" HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4half"))
		synctest.Wait()
		second, err := c.Post("4whole")
		ok(t, err)
		if second.Status != http.StatusBadRequest {
			t.Errorf("second %v", second)
		}
		if _, err := half.WaitEOF(time.Second); err != nil {
			t.Errorf("the first goes on: %v", err)
		}
		s.wantEnd(t, engine.TransportError)
		_ = half.Close()
	})
}

// TestSlowBody: one that makes no progress for 10 s ends, a steady one does not.
func TestSlowBody(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, s := f.openPoll()
		c, err := wire.Dial(f.addr)
		ok(t, err)
		ok(t, c.Send("POST /socket.io/?EIO=4&transport=polling&sid="+s.ID()+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n4half"))
		began := time.Now()
		s.wantEnd(t, engine.TransportError)
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("after %v", d)
		}
		_ = c.Close()

		_, s = f.openPoll()
		c, err = wire.Dial(f.addr)
		ok(t, err)
		const n = 200_000
		ok(t, c.Send(fmt.Sprintf("POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n4", s.ID(), n)))
		for sent := 1; sent < n; sent += 20_000 {
			time.Sleep(3 * time.Second)
			ok(t, c.Send(long(min(20_000, n-sent))))
		}
		if got := <-s.texts; len(got) != n-1 {
			t.Errorf("got %d bytes", len(got))
		}
		r, err := c.ReadResponse(http.MethodPost)
		ok(t, err)
		if r.Body != "ok" {
			t.Errorf("answered %v", r)
		}
		_ = c.Close()
	})
}

// TestPollNotRead: a peer that does not read the answer to its poll holds
// neither the handler nor the answer for longer than a write may take.
func TestPollNotRead(t *testing.T) {
	var handlers atomic.Int32
	f := newFixture(t, engine.Options{WriteTimeout: 200 * time.Millisecond, MaxQueue: 64 << 20, MaxPayload: 64 << 20, CompressionThreshold: -1})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	inner := f.Server
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers.Add(1)
		defer handlers.Add(-1)
		inner.ServeHTTP(w, r)
	})}
	go func() { _ = hs.Serve(l) }()
	defer hs.Close()
	f.addr = l.Addr().String()
	_, s := f.openPoll()
	for range 32 {
		s.text(long(1 << 20))
	}
	c, err := wire.Dial(f.addr)
	ok(t, err)
	defer c.Close()
	ok(t, c.Send("GET /socket.io/?EIO=4&transport=polling&sid="+s.ID()+" HTTP/1.1\r\nHost: x\r\n\r\n"))
	s.wantEnd(t, engine.TransportError)
	eventually(t, "the handler has returned", func() bool { return handlers.Load() == 0 })
	ok(t, f.Shutdown(t.Context()))
}

// TestWriteDeadlineLeft: the deadline of one answer does not hit the next one
// on the same connection.
func TestWriteDeadlineLeft(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, s := f.openPoll()
		c, err := wire.Dial(f.addr)
		ok(t, err)
		defer c.Close()
		for _, wait := range []time.Duration{0, 20 * time.Second} {
			ok(t, c.Send("GET /socket.io/?EIO=4&transport=polling&sid="+s.ID()+" HTTP/1.1\r\nHost: x\r\n\r\n"))
			time.Sleep(wait)
			s.text("message")
			r, err := c.ReadResponse(http.MethodGet)
			ok(t, err)
			if r.Body != "4message" {
				t.Errorf("after %v: %v", wait, r)
			}
		}
	})
}

// TestPollGzip: large payloads are compressed for those who take it.
func TestPollGzip(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, s := f.openPoll()
		for _, n := range []int{1022, 1023} {
			s.text(long(n))
			c, err := wire.Dial(f.addr)
			ok(t, err)
			ok(t, c.Send("GET /socket.io/?EIO=4&transport=polling&sid="+s.ID()+" HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"))
			r, err := c.ReadResponse(http.MethodGet)
			ok(t, err)
			body := r.Body
			if zipped := r.Header.Get("Content-Encoding") == "gzip"; zipped != (n == 1023) {
				t.Errorf("%d bytes: compressed %v", n+1, zipped)
			} else if zipped {
				z, err := gzip.NewReader(strings.NewReader(body))
				ok(t, err)
				b, err := io.ReadAll(z)
				ok(t, err)
				body = string(b)
			}
			if body != "4"+long(n) {
				t.Errorf("%d bytes: got %d", n+1, len(body))
			}
			_ = c.Close()
		}
	})
}

// TestForwardedPoll: Poll and Post serve requests from wherever they come.
func TestForwardedPoll(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = echo
		_, s := f.openPoll()
		s.post(t, "4one\x1e4two")
		if got := s.polled(t); got != "4one\x1e4two" {
			t.Errorf("got %q", got)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWanted)
		defer cancel()
		if _, err := s.Poll(ctx); !errors.Is(err, errWanted) {
			t.Errorf("error %v", err)
		}
		if err := s.wantEnd(t, engine.TransportError); !errors.Is(err, errWanted) {
			t.Errorf("ended with %v", err)
		}
	})
}

// TestBlockedReceiver: a POST is not answered before the receiver has taken it,
// which is what the peer feels.
func TestBlockedReceiver(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = func(*session, string) { time.Sleep(5 * time.Second) }
		c, _ := f.openPoll()
		began := time.Now()
		ok(t, c.Send("4slow"))
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("answered after %v", d)
		}
	})
}
