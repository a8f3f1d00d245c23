package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// traffic is what of the counts is about packets.
func (f *fixture) traffic() [4]int64 {
	s := f.Stats()
	return [4]int64{s.PacketsIn, s.BytesIn, s.PacketsOut, s.BytesOut}
}

// What counts are packets that carry data, and the bytes that they carry, the same
// on each transport: neither the engine's own packets nor types and framing.
func TestStatsOfTraffic(t *testing.T) {
	each(t, engine.Options{PingInterval: time.Second}, func(t *testing.T, f *fixture, transport string) {
		c, s := f.open(transport)
		check := func(what string, want ...int64) {
			t.Helper()
			synctest.Wait()
			if got := f.traffic(); got != [4]int64(want) {
				t.Errorf("%s: packets and bytes in, out: %v, want %v", what, got, want)
			}
		}
		check("opened", 0, 0, 0, 0)
		ok(t, c.SendPackets(wire.Packet{Data: "4hello"}, wire.Packet{Data: "bin", Binary: true}, wire.Packet{Data: "4"}))
		get(t, s.binary, "the binary message")
		check("three in", 3, 8, 0, 0)
		s.text("four")
		s.Send(0, engine.NewText("und"), engine.NewBinary([]byte("zwei!")))
		wantNext(t, c, "4four", "4und")
		if p, err := c.Next(); err != nil || p.Data != "zwei!" {
			t.Errorf("got %v, %v", p, err)
		}
		check("three out", 3, 8, 3, 12)
		wantNext(t, c, "2") // a ping, when its time has come
		ok(t, c.Send("3"))
		check("a heartbeat", 3, 8, 3, 12)
	})
}

// Sessions are counted by what carries them, how they end, and what was refused.
func TestStatsOfSessions(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		p, s := f.openPoll()
		q, _ := f.openPoll()
		f.openWS()
		polling := func(want int) {
			t.Helper()
			synctest.Wait()
			if got := f.Stats(); got.Polling != want || got.Opened != 3 {
				t.Errorf("%d of %d sessions are on polling, want %d of 3", got.Polling, got.Opened, want)
			}
		}
		polling(2)
		w, err := p.Upgrade()
		ok(t, err)
		defer w.Close()
		polling(1)
		failing, err := p.DialUpgrade()
		ok(t, err)
		_ = failing.Close()
		ok(t, q.Send("1"))
		polling(0)
		s.Close(engine.Reason("one of the application's own"))
		ok(t, w.Close())
		if _, err := wire.OpenWS(f.addr, wire.Handshake{Query: "EIO=3&transport=websocket"}); !refusedWith(err, 400) {
			t.Error(err)
		}
		synctest.Wait()
		got := f.Stats()
		if got.Closed[engine.TransportClose] != 1 || got.Closed[engine.ForcedClose] != 1 || len(got.Closed) != 7 {
			t.Errorf("closed: %v", got.Closed)
		}
		if got.UpgradesBegun != 2 || got.Upgrades != 1 || got.UpgradesFailed != 1 {
			t.Errorf("%d upgrades begun, %d done, %d failed", got.UpgradesBegun, got.Upgrades, got.UpgradesFailed)
		}
		if got.Refusals["protocol_version"] != 1 || got.Refused != 1 {
			t.Errorf("refused: %v", got.Refusals)
		}
	})
}

// A receiver that wants to know is told once that its session has moved.
func TestMover(t *testing.T) {
	each(t, engine.Options{}, func(t *testing.T, f *fixture, transport string) {
		want := int32(0)
		if transport == wire.Upgraded {
			want = 1
		}
		_, s := f.open(transport)
		synctest.Wait()
		if n := s.moved.Load(); n != want {
			t.Errorf("told %d times, want %d", n, want)
		}
	})
}

// A session that has ended on the way is not told that it has moved.
func TestMoverOfAnEndedSession(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		p, s := f.openPoll()
		w, err := p.Probe()
		ok(t, err)
		defer w.Close()
		s.Close(engine.ForcedClose)
		ok(t, w.Send("5"))
		synctest.Wait()
		if n := s.moved.Load(); n != 0 || f.Stats().Polling != 0 {
			t.Errorf("told %d times; %d on polling", n, f.Stats().Polling)
		}
	})
}

// What waits for a peer is found where it is: in the queue, or with the kernel's
// refusal.
func TestQueues(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, poll := f.openPoll()
		_, ws := f.openWS()
		f.openWS()
		synctest.Wait() // what a client has got may be on its way out of the queue still
		if q := f.Queues(); q != (engine.Queues{}) {
			t.Errorf("nothing was sent: %+v", q)
		}
		poll.Send(0, engine.NewText(long(1000)))
		for range 20 { // far more than the pipe holds
			ws.Send(0, engine.NewText(long(50_000)))
		}
		synctest.Wait()
		q := f.Queues()
		if q.Sessions != 2 || q.Longest < 500_000 || q.Bytes < int64(q.Longest)+1000 || q.Bytes > int64(q.Longest)+1200 {
			t.Errorf("%+v", q)
		}
	})
}
