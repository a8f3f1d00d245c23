//go:build linux

package soak

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// A visit is what one of the clients does that come and go: how it comes, what is to
// happen to it, and how it leaves.
type visit struct {
	transport string
	auth      string              // of CONNECT; empty: nothing special
	end       func(p *peer) error // nil: it vanishes
}

// missed are those whose end the server may find out by the heartbeat only, for as
// long as which it keeps them.
var missed = []visit{
	{wire.Websocket, "", nil},
	{wire.Polling, "", nil},
	{wire.Polling, "", cutPoll},
}

// visits are the others, in turn.
var visits = []visit{
	{wire.Websocket, "", disconnect},
	{wire.Polling, "", disconnect},
	{wire.Websocket, "", goodbye},
	{wire.Polling, "", goodbye},
	{wire.Upgraded, "", goodbye},
	{wire.Websocket, "", reset},
	{wire.Upgraded, "", reset},
	{wire.Websocket, "", hangUp},
	{wire.Websocket, "", malformed(`42["event"`, "forced close")},
	{wire.Websocket, "", malformed(`452-["event",{"_placeholder":true,"num":7}]`, "forced close")},
	{wire.Websocket, "", malformed(`9`, "parse error")},
	{wire.Upgraded, "", malformed(`42`, "forced close")},
	{wire.Websocket, "", badFrame},
	{wire.Polling, "", badPost},
	{wire.Websocket, `{"panic":"connect"}`, refusedLater},
	{wire.Websocket, `{"panic":"disconnect"}`, goodbye},
	{wire.Polling, `{"panic":"disconnect"}`, goodbye},
	{wire.Websocket, `{"refuse":true}`, refused("refused")},
	{wire.Polling, `{"refuse":true}`, refused("refused")},
	{wire.Websocket, `{"panic":"middleware"}`, refused("internal error")},
}

// churn has one client after another until quit. Beside them some come that the server
// will miss, as often as slow allows, so that there are always as many of them; those of
// them that wait for it do so in the background.
func (in *instance) churn(first int, pause time.Duration, slow *rate.Limiter, quit <-chan struct{}, vanished *sync.WaitGroup) {
	for i := first; ; i++ {
		v := visits[i%len(visits)]
		if slow.Allow() {
			v = missed[i%len(missed)]
		}
		var err error
		if i%5 == 4 {
			err = in.unversioned()
		}
		if v.end != nil {
			err = errors.Join(err, in.visit(v, i))
		} else {
			err = errors.Join(err, in.vanish(v.transport, vanished))
		}
		if err != nil {
			in.complainf("churn, visit %d by %s with %q: %v", i%len(visits), v.transport, v.auth, err)
		}
		in.done.add("churned clients", 1)
		select {
		case <-quit:
			return
		case <-time.After(pause):
		}
	}
}

// visit is one of those that do not vanish.
func (in *instance) visit(v visit, i int) error {
	if strings.Contains(v.auth, "refuse") || strings.Contains(v.auth, "middleware") {
		p, answer, err := in.connect(v.transport, v.auth, func(string) {})
		if err != nil {
			return err
		}
		p.control <- answer
		return v.end(p)
	}
	auth := v.auth
	if auth == "" {
		auth = "{}"
	}
	p, err := in.enter(v.transport, auth, func(string) {})
	if err != nil {
		return err
	}
	if !strings.Contains(v.auth, `"connect"`) {
		if err := in.wander(p, i); err != nil {
			return err
		}
	}
	return v.end(p)
}

// wander joins rooms, some that others are in too, and leaves one of them.
func (in *instance) wander(p *peer, i int) error {
	return errors.Join(
		p.demand(fmt.Sprintf(`["join",["common","shared %d","own %s %d"]]`, i%7, in.name, i), `["in"]`),
		p.demand(fmt.Sprintf(`["leave",["shared %d"]]`, i%7), `["out"]`),
		p.demand(fmt.Sprintf(`["join",["shared %d"]]`, i%3), `["in"]`),
	)
}

// disconnect leaves the namespace first.
func disconnect(p *peer) error {
	if err := p.send("41"); err != nil {
		return err
	}
	p.leave()
	return nil
}

func goodbye(p *peer) error {
	p.leave()
	return nil
}

// reset is a crash.
func reset(p *peer) error {
	p.at.want.add("closed: transport close", 1)
	err := p.socket().Reset()
	p.hangUp()
	return err
}

// hangUp ends the connection without a close frame.
func hangUp(p *peer) error {
	p.at.want.add("closed: transport close", 1)
	p.hangUp()
	return nil
}

// cutPoll ends the connection of a poll that waits.
func cutPoll(p *peer) error {
	defer p.hangUp()
	if err := p.rest(); err != nil {
		return err
	}
	p.at.want.add("closed: transport error", 1)
	p.at.done.add("polls cut", 1)
	c, err := wire.Dial(p.at.addr)
	if err != nil {
		return err
	}
	return errors.Join(c.Send(p.poll.Request("GET", "")), c.Close())
}

// malformed sends what no client sends.
func malformed(text, reason string) func(p *peer) error {
	return func(p *peer) error {
		p.at.want.add("closed: "+reason, 1)
		err := p.send(text)
		p.ended()
		return err
	}
}

// badFrame sends a frame without a mask.
func badFrame(p *peer) error {
	p.at.want.add("closed: transport error", 1)
	f := wire.Text("3")
	f.Unmasked = true
	err := p.socket().Write(f)
	p.ended()
	return err
}

// badPost posts what is no payload.
func badPost(p *peer) error {
	p.at.want.add("closed: parse error", 1)
	p.at.want.add("refused: request", 1)
	defer p.hangUp()
	if err := p.rest(); err != nil { // a poll would be refused now, or not yet
		return err
	}
	res, err := p.poll.Post("abc")
	if err == nil && res.Status != http.StatusBadRequest {
		err = fmt.Errorf("a malformed payload is answered with %s", res)
	}
	return err
}

// refused is for who is not let in, and goes.
func refused(message string) func(p *peer) error {
	return func(p *peer) error {
		answer, err := p.await()
		if want := fmt.Sprintf(`44{"message":%q}`, message); err == nil && answer != want {
			err = fmt.Errorf("CONNECT is answered with %s, want %s", answer, want)
		}
		p.at.done.add("refused by middleware", 1)
		p.leave()
		return err
	}
}

// refusedLater is for who is let in, and thrown out by the connect handler's panic.
func refusedLater(p *peer) error {
	answer, err := p.await()
	if err == nil && answer != "41" {
		err = fmt.Errorf("got %s, want 41", answer)
	}
	p.leave()
	return err
}

// vanish is a client that says nothing more, and that the server misses in the end.
func (in *instance) vanish(transport string, vanished *sync.WaitGroup) error {
	in.want.add("closed: ping timeout", 1)
	if transport == wire.Polling {
		p, err := in.enter(transport, "{}", func(string) {})
		if err != nil {
			return err
		}
		defer p.hangUp()
		return p.rest() // so that the server cannot see its end
	}
	w, err := wire.OpenWS(in.addr, wire.Handshake{})
	if err != nil {
		return err
	}
	in.want.add("opened", 1)
	if _, err := wire.Join(w, "/"); err != nil {
		return err
	}
	in.want.add("connected", 1)
	vanished.Go(func() {
		defer w.Close()
		if _, err := w.WaitEOF(patience); err != nil {
			in.complainf("a client that has vanished: %v", err)
		}
	})
	return nil
}

// unversioned asks for a protocol that is not served.
func (in *instance) unversioned() error {
	in.want.add("refused: protocol_version", 1)
	res, err := wire.Exchange(in.addr, "GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n")
	if err == nil && res.Status != http.StatusBadRequest {
		err = fmt.Errorf("protocol 3 is answered with %s", res)
	}
	return err
}
