package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// start runs the command's server on a free port. stop ends it and returns how
// long that took.
func start(t *testing.T, args ...string) (addr string, stop func() time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	ready := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	cfg := parse(t, append([]string{"--addr=127.0.0.1:0"}, args...)...)
	go func() {
		ended <- Run(ctx, cfg, slog.New(slog.DiscardHandler), func(addr net.Addr) { ready <- addr })
	}()
	select {
	case err := <-ended:
		t.Fatal(err)
	case a := <-ready:
		addr = a.String()
	}
	return addr, func() time.Duration {
		begun := time.Now()
		cancel(errors.New("the test ends"))
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		return time.Since(begun)
	}
}

// H01: on every transport the clients are told that the server ends, and neither
// those that hang up first nor those that say nothing hold it up.
func TestH01Clients(t *testing.T) {
	for _, transport := range wire.Transports() {
		t.Run(transport, func(t *testing.T) {
			addr, stop := start(t)
			const each = 20
			closed := make(chan error, 2*each)
			for i := range 2 * each {
				s, err := wire.Open(addr, transport)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := wire.Join(s, "/chat"); err != nil {
					t.Fatal(err)
				}
				go func() {
					defer s.Close()
					if i < each {
						_, _, err := wire.WaitClosed(s)
						closed <- err
						return
					}
					for { // a browser's client hangs up at the first word of the end
						if p, err := s.Next(); err != nil || p.Data == "41/chat," || p.Data == "1" {
							closed <- nil
							return
						}
					}
				}()
			}
			if took := stop(); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			for range 2 * each {
				if err := <-closed; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestParser: the chat in MessagePack, for clients that speak it.
func TestParser(t *testing.T) {
	addr, stop := start(t, "--parser=msgpack")
	defer stop()
	s, err := wire.Open(addr, wire.Websocket)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SendPackets(wire.Packet{Data: "\x82\xa4type\x00\xa3nsp\xa1/", Binary: true}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\x83\xa4type\x00\xa4data\x81\xa3sid*", "\x83\xa4type\x02\xa4data\x92\xa9connected*"} {
		if p, err := s.Next(); err != nil || !p.Binary || !wire.Match(want, p.Data) {
			t.Errorf("%q, %v", p.Data, err)
		}
	}
}

// The ids of sessions say which instance has them, and are no less of a secret.
func TestInstance(t *testing.T) {
	addr, stop := start(t, "--instance=parlor1")
	ids := map[string]bool{}
	for range 2 {
		for _, transport := range wire.Transports() {
			s, err := wire.Open(addr, transport)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			secret, ok := strings.CutPrefix(s.SID(), "parlor1.")
			if !ok || len(secret) < 26 || ids[secret] { // 128 bits, 5 a character
				t.Errorf("%s: a session's id is %s", transport, s.SID())
			}
			ids[secret] = true
		}
	}
	stop()
}
