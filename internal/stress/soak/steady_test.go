//go:build linux

package soak

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// A speaker is a client whose numbered events go to the steady rooms of both
// instances, and are acknowledged.
type speaker struct {
	*listener
	id      int
	said    atomic.Int64 // numbers up to here, exclusive
	slowest time.Duration
}

// A listener is a client that stays, and writes down what it hears.
type listener struct {
	*peer
	name  string
	heard map[int]*track // by speaker; the same speakers from the beginning
}

// A track is what a listener has heard of a speaker.
type track struct {
	local bool
	next  atomic.Int64 // number that is due
	count atomic.Int64

	gaps []gap // owned by the reader
}

// A gap is numbers that were not heard: from, and up to, exclusive.
type gap struct{ from, to int64 }

func (tr *track) lost() (n int64) {
	for _, g := range tr.gaps {
		n += g.to - g.from
	}
	return n
}

// listen connects a listener to the speakers of both instances of the cluster.
func (in *instance) listen(name, transport string, speakers map[int]*instance) (*listener, error) {
	l := &listener{name: in.name + " " + name, heard: make(map[int]*track)}
	for id, at := range speakers {
		l.heard[id] = &track{local: at == in}
	}
	var err error
	if l.peer, err = in.enter(transport, `{"steady":true}`, l.hear); err != nil {
		return nil, err
	}
	return l, l.fence()
}

// hear takes an event: numbers of local speakers have no gaps, and none are heard
// twice or out of order.
func (l *listener) hear(text string) {
	body, ok := strings.CutPrefix(strings.TrimSuffix(text, "]"), `["said",`)
	speaker, number, _ := strings.Cut(body, ",")
	id, err := strconv.Atoi(speaker)
	n, err2 := strconv.ParseInt(number, 10, 64)
	tr := l.heard[id]
	if !ok || err != nil || err2 != nil || tr == nil {
		l.at.complainf("%s hears %s", l.name, text)
		return
	}
	next := tr.next.Load()
	switch {
	case n < next:
		l.at.complainf("%s hears number %d of %d, %d was next: doubled, or out of order", l.name, n, id, next)
		return
	case n > next && tr.local:
		l.at.complainf("%s hears number %d of %d on its own instance, %d was next", l.name, n, id, next)
	}
	if n > next {
		tr.gaps = append(tr.gaps, gap{next, n})
	}
	tr.count.Add(1)
	tr.next.Store(n + 1)
}

// talk says something every so often until quit, and lets some of it go wrong.
func (s *speaker) talk(every time.Duration, quit <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-quit:
			return
		case <-tick.C:
		}
		if err := s.turn(i); err != nil {
			s.at.complainf("%s: %v", s.name, err)
			return
		}
	}
}

// turn is one event of a speaker, with its answer.
func (s *speaker) turn(i int) error {
	switch {
	case i%16 == 5:
		return s.demand(`["panic",1]`, `[{"ok":false,"error":{"code":"internal",*`)
	case i%16 == 9:
		return s.demand(`["answer and panic",1]`, `["answered"]`)
	case i%16 == 13: // nobody is told of it
		return s.emit(`["panic",2]`)
	case i%4 == 3:
		return s.demand(fmt.Sprintf(`["question",%d]`, i), fmt.Sprintf("[%d]", i))
	}
	return s.say()
}

// say says the next number.
func (s *speaker) say() error {
	began := time.Now()
	n := s.said.Add(1) - 1
	err := s.demand(fmt.Sprintf(`["say",%d,%d]`, s.id, n), fmt.Sprintf("[%d]", n))
	s.slowest = max(s.slowest, time.Since(began))
	return err
}

// demand is call with the answer that is due, in which "*" is any text.
func (p *peer) demand(event, pattern string) error {
	answer, err := p.call(event)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", event, err)
	case !wire.Match(pattern, answer):
		return fmt.Errorf("%s is answered with %s, want %s", event, wire.Shorten(answer), pattern)
	}
	p.at.done.add("acknowledged", 1)
	return nil
}
