package engine_test

import (
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestDroppable: what may be dropped is, whole, where the queue is full; what was
// queued before arrives, and what may not be dropped ends the session as ever.
func TestDroppable(t *testing.T) {
	for _, transport := range wire.Transports() {
		t.Run(transport, func(t *testing.T) {
			bubble(t, engine.Options{MaxQueue: 10_000}, func(t *testing.T, f *fixture) {
				c, s := f.open(transport)
				const pipe = 64 << 10 // what a WebSocket's connection holds
				text := long(1000)
				send := func(n int) {
					for range n {
						s.Send(engine.Droppable, engine.NewText(text), engine.NewBinary([]byte("with it")))
						time.Sleep(10 * time.Millisecond)
					}
				}
				send(100)
				sent, dropped := int64(100), f.Stats().QueueDropped
				if dropped < sent-(pipe+10_000)/1000 || dropped >= sent {
					t.Errorf("%d of %d were dropped", dropped, sent)
				}
				for range sent - dropped {
					wantNext(t, c, "4"+text)
					if p, err := c.Next(); err != nil || !p.Binary {
						t.Fatalf("%v, %v: an attachment is missing", p, err)
					}
				}
				s.text("room again")
				wantNext(t, c, "4room again")

				send(100)
				if len(s.ended) > 0 {
					t.Error("the session has ended")
				}
				s.Send(0, engine.NewText(text))
				s.wantEnd(t, engine.SlowConsumer)
			})
		})
	}
}
