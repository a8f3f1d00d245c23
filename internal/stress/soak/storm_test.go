//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

const (
	// crowd is how many clients of an instance upgrade at once.
	crowd = 8
	// streamed is how many events each of them gets meanwhile.
	streamed = 100
)

// stream sends numbers, a few of them at a time, and says when that was all.
func (in *instance) stream(ctx context.Context, s *server.Socket, args server.Args) error {
	server.Detach(ctx)
	for i := range streamed {
		if err := s.Emit("number", i); err != nil {
			return err
		}
		if i%4 == 3 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	return args.Ack("all")
}

// storms has crowds of clients that poll upgrade at once, until quit.
func (in *instance) storms(quit <-chan struct{}) {
	for wave := 0; ; wave++ {
		start := make(chan struct{})
		var ready, all sync.WaitGroup
		for i := range crowd {
			ready.Add(1)
			all.Go(func() {
				if err := in.storm(wave+i, ready.Done, start); err != nil {
					in.complainf("client %d of upgrade storm %d: %v", i, wave, err)
				}
			})
		}
		ready.Wait()
		close(start)
		all.Wait()
		select {
		case <-quit:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// storm is one client. It is sent numbers while it upgrades, or abandons that midway,
// and misses none of them.
func (in *instance) storm(way int, ready func(), start <-chan struct{}) error {
	next := 0
	p, err := in.enter(wire.Polling, "{}", func(text string) {
		if want := fmt.Sprintf(`["number",%d]`, next); text != want {
			in.complainf("a client that upgrades hears %s, want %s", text, want)
		}
		next++
	})
	ready()
	if err != nil {
		return err
	}
	_, answer, err := p.ask(`["stream"]`)
	<-start
	if err != nil {
		return err
	}
	abandoned := func() {}
	switch way % 6 {
	case 0: // nothing follows the connection
		abandoned, err = in.abandon(p, p.poll.DialUpgrade)
	case 1: // nothing follows the probe
		abandoned, err = in.abandon(p, p.poll.Probe)
	case 2: // at once
		var w *wire.WS
		if w, err = p.poll.Probe(); err == nil {
			in.want.add("upgrades failed", 1)
			err = w.Reset()
		}
	default:
		err = p.moveOver()
	}
	if err != nil {
		return err
	}
	text, err := p.answered(answer)
	if err == nil && (text != `["all"]` || next != streamed) {
		err = fmt.Errorf("%d numbers and %s", next, text)
	}
	in.done.add("upgrade storm clients", 1)
	p.leave()
	abandoned()
	return err
}

// abandon begins an upgrade that comes to nothing, which the session's end ends.
func (in *instance) abandon(p *peer, begin func() (*wire.WS, error)) (end func(), err error) {
	w, err := begin()
	if err != nil {
		return nil, err
	}
	in.want.add("upgrades failed", 1)
	return func() {
		if _, err := w.WaitClose(); err != nil && !errors.Is(err, errGone) {
			in.complainf("an upgrade that was abandoned: %v", err)
		}
		_ = w.Close() // it has ended
	}, nil
}
