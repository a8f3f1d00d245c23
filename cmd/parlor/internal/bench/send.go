package bench

import (
	"context"
	"math"
	"strconv"
	"time"
)

// A sender is a client that sends, with what it needs for that.
type sender struct {
	*client
	first time.Duration // when its first event is due, since the start of the run
	apart float64       // nanoseconds between two of its events; 0: no schedule
	until time.Duration // nothing is sent from then on

	packet, data []byte
}

// schedule gives the clients that send their times: events are apart by the same time
// over all of them together.
func (r *run) schedule(clients []*client) []*sender {
	n := r.opts.senders(len(clients))
	start := r.now()
	list := make([]*sender, n)
	for i := range list {
		s := &sender{client: clients[i], first: start, until: start + r.opts.Duration}
		if r.opts.openLoop() {
			between := float64(time.Second) / r.opts.Rate
			s.first += time.Duration(float64(i) * between)
			s.apart = float64(n) * between
		}
		list[i] = s
	}
	return list
}

// send sends the events until all are sent, ctx is done or the connection fails.
func (s *sender) send(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for seq := uint32(0); s.run.opts.Count == 0 || int(seq) < s.run.opts.Count; seq++ {
		due := s.run.now()
		if s.apart > 0 {
			due = s.first + time.Duration(math.Round(float64(seq)*s.apart))
		}
		if due >= s.until || ctx.Err() != nil {
			return
		}
		if wait := due - s.run.now(); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
				s.run.generator.late(s.run.now() - due)
			case <-ctx.Done():
				return
			}
		}
		if s.emit(seq, due) != nil {
			return // its reader says why
		}
		if s.again != nil {
			timer.Reset(s.run.opts.Timeout)
			select {
			case <-s.again:
			case <-ctx.Done():
				return
			case <-s.run.over:
				return
			case <-timer.C: // it is lost
				return
			}
		}
	}
}

// emit sends one event.
func (s *sender) emit(seq uint32, due time.Duration) error {
	r := s.run
	packet := append(append(s.packet[:0], "42"...), r.prefix...)
	if r.opts.Load == Acks {
		packet = strconv.AppendUint(packet, uint64(seq)+1, 10) // 0 is that of the join
		s.mu.Lock()
		if s.asks == nil {
			s.asks = map[uint32]time.Duration{}
		}
		s.asks[seq] = due
		s.mu.Unlock()
	}
	s.data = appendStamp(s.data[:0], r.mark, stamp{uint32(s.id), seq, due}, r.opts.Size)
	packet = append(packet, r.eventHead...)
	packet = r.payload.append(packet, values{room: s.room, client: s.id, seq: int(seq), data: s.data})
	packet = append(packet, ']')
	s.packet = packet
	s.sent.Add(1)
	if err := s.link.send(packet); err != nil {
		s.sent.Add(-1)
		return err
	}
	return nil
}
