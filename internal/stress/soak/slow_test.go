//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// How much is sent to a client that does not read: more than the kernel and its queue
// take together, where the kernel is told to take little.
const (
	bulk        = 16 << 10
	bulks       = 96
	writeBuffer = 64 << 10
	maxQueue    = 256 << 10
)

var pad = strings.Repeat("x", bulk)

// flood sends a client more than it is ready for.
func (in *instance) flood(_ context.Context, s *server.Socket, _ server.Args) error {
	before := in.io.Stats().QueueDropped
	for i := 0; i < bulks && s.Connected(); i++ {
		if err := s.Emit("bulk", i, pad); err != nil {
			return err
		}
	}
	in.flooded <- in.io.Stats().QueueDropped - before
	return nil
}

// slowReaders has clients, one after another, that stop reading until quit.
func (in *instance) slowReaders(quit <-chan struct{}) {
	for {
		if err := in.slow(); err != nil {
			in.complainf("a client that does not read: %v", err)
		}
		select {
		case <-quit:
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// slow is one of them: it is let go, or misses events, as many as the server says.
func (in *instance) slow() error {
	w, err := wire.OpenWS(in.addr, wire.Handshake{})
	if err != nil {
		return err
	}
	defer w.Close()
	in.want.add("opened", 1)
	if _, err := wire.Join(w, "/"); err != nil {
		return err
	}
	in.want.add("connected", 1)
	in.want.add("events in", 1)
	if err := w.Send(`42["flood"]`); err != nil {
		return err
	}
	var dropped int64
	select {
	case dropped = <-in.flooded:
	case <-time.After(patience):
		return errSilent
	}
	in.done.add("slow readers", 1)
	if !in.drops {
		in.want.add("closed: slow consumer", 1)
		for err == nil {
			_, err = w.Next()
		}
		return nil // what it was cut off with is the network's
	}
	in.want.add("queue dropped", dropped)
	if dropped == 0 {
		return errors.New("nothing was dropped")
	}
	if err := in.catchUp(w, bulks-int(dropped)); err != nil {
		return err
	}
	in.want.add("closed: transport close", 1)
	if err := w.Write(wire.Close(wire.CloseNormal, "")); err != nil {
		return err
	}
	_, err = w.WaitClose()
	return err
}

// catchUp reads what was not dropped, in its order, and then the answer to a question.
func (in *instance) catchUp(w *wire.WS, left int) error {
	last, asked := -1, false
	for {
		p, err := w.Next()
		if err != nil {
			return fmt.Errorf("with %d events to come: %w", left, err)
		}
		var i int
		switch {
		case p.Data == "2":
			if err := w.Send("3"); err != nil {
				return err
			}
		case asked && p.Data == `431["out"]`:
			return nil
		default:
			if n, _ := fmt.Sscanf(p.Data[:min(len(p.Data), 20)], `42["bulk",%d,`, &i); n != 1 || i <= last {
				return fmt.Errorf("after number %d: %s", last, wire.Shorten(p.Data))
			}
			last, left = i, left-1
		}
		if left == 0 && !asked {
			asked = true
			in.want.add("events in", 1)
			if err := w.Send(`421["leave",["slow"]]`); err != nil {
				return err
			}
		}
	}
}
