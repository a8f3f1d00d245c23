//go:build linux

package soak

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// patience is a guard, far above what anything takes.
const patience = 30 * time.Second

var (
	errGone   = errors.New("the connection has ended")
	errSilent = errors.New("the server does not answer")
)

// A peer is a client in "/": it answers heartbeats and what the server asks, and
// hands on events. Its methods are safe for concurrent use but for leave and those
// after it.
type peer struct {
	at      *instance
	poll    *wire.Poll // nil for one that began with a WebSocket
	control chan string
	done    chan struct{} // closed when the reader has ended
	event   func(text string)

	writing sync.Mutex
	ws      *wire.WS // once it is the transport

	probed  atomic.Pointer[wire.WS] // has the server's answer, and waits for the poll to end
	upgrade chan error              // what has become of it
	leaving atomic.Bool             // it has said goodbye; set with writing held
	stopAt  atomic.Int64            // the acknowledgement after which nothing is read; 0: none

	mu   sync.Mutex
	acks int
	open map[int]chan string // acknowledgements that are awaited
}

// connect opens a session and enters the namespace with a payload. The answer is
// "40…" or "44…". event is called on the reader for every event that comes, its JSON.
func (in *instance) connect(transport, auth string, event func(text string)) (p *peer, answer string, err error) {
	p = &peer{
		at: in, control: make(chan string, 8), done: make(chan struct{}), upgrade: make(chan error, 1),
		event: event, open: make(map[int]chan string),
	}
	if transport == wire.Websocket {
		p.ws, err = wire.OpenWS(in.addr, wire.Handshake{})
	} else {
		p.poll, err = wire.OpenPoll(in.addr, "")
	}
	if err != nil {
		return nil, "", err
	}
	in.want.add("opened", 1)
	go p.read()
	if err := p.send("40" + auth); err != nil {
		return p, "", err
	}
	answer, err = p.await()
	return p, answer, err
}

// enter is connect for one who is let in.
func (in *instance) enter(transport, auth string, event func(string)) (*peer, error) {
	p, answer, err := in.connect(transport, auth, event)
	if err == nil && !strings.HasPrefix(answer, "40{") {
		err = fmt.Errorf("CONNECT is answered with %s", answer)
	}
	if err == nil {
		in.want.add("connected", 1)
		if transport == wire.Upgraded {
			err = p.moveOver()
		}
	}
	return p, err
}

// await returns the next packet that is neither an event nor an acknowledgement.
func (p *peer) await() (string, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case text := <-p.control:
		return text, nil
	case <-p.done:
		select {
		case text := <-p.control:
			return text, nil
		default:
			return "", errGone
		}
	case <-late.C:
		return "", errSilent
	}
}

func (p *peer) send(text string) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	switch {
	case p.leaving.Load():
		return nil // nothing follows a goodbye
	case p.ws != nil:
		return p.ws.Send(text)
	}
	return p.poll.Send(text)
}

// emit sends an event.
func (p *peer) emit(event string) error {
	p.at.want.add("events in", 1)
	return p.send("42" + event)
}

// ask sends an event that is to be acknowledged; answer gets what comes.
func (p *peer) ask(event string) (id int, answer <-chan string, err error) {
	c := make(chan string, 1)
	p.mu.Lock()
	p.acks++
	id = p.acks
	p.open[id] = c
	p.mu.Unlock()
	p.at.want.add("events in", 1)
	return id, c, p.send("42" + strconv.Itoa(id) + event)
}

// call is ask, and waits for the answer: the arguments as JSON.
func (p *peer) call(event string) (string, error) {
	_, answer, err := p.ask(event)
	if err != nil {
		return "", err
	}
	return p.answered(answer)
}

func (p *peer) answered(answer <-chan string) (string, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case text := <-answer:
		return text, nil
	case <-p.done:
		select {
		case text := <-answer:
			return text, nil
		default:
			return "", errGone
		}
	case <-late.C:
		return "", errSilent
	}
}

// read takes what comes until the connection ends. A session that polls goes over to
// the WebSocket that was probed when a poll has ended, as socket.io-client does.
func (p *peer) read() {
	defer close(p.done)
	for p.poll != nil {
		if p.leaving.Load() {
			return
		}
		res, err := p.poll.Get()
		if err != nil {
			return
		}
		if res.Status == http.StatusBadRequest && p.leaving.Load() { // the goodbye was faster, by more than a second
			p.at.want.add("refused: session", 1)
			return
		}
		if res.Status != http.StatusOK {
			p.at.complainf("a poll is answered with %s", res)
			return
		}
		packets, err := wire.DecodePayload(res.Body)
		if err != nil {
			p.at.complainf("%v", err)
			return
		}
		for _, packet := range packets {
			if !p.take(packet.Data) {
				return
			}
		}
		if w := p.probed.Load(); w != nil {
			p.upgrade <- p.move(w)
			break
		}
	}
	for {
		packet, err := p.ws.Next() // only this goroutine changes it
		if err != nil || !p.take(packet.Data) {
			return
		}
	}
}

// move makes w the transport, with no POST under way.
func (p *peer) move(w *wire.WS) error {
	p.writing.Lock()
	defer p.writing.Unlock()
	p.ws = w
	return w.Send("5")
}

// moveOver upgrades a session that polls.
func (p *peer) moveOver() error {
	w, err := p.poll.Probe()
	if err != nil {
		return err
	}
	p.at.want.add("upgrades", 1)
	p.probed.Store(w)
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case err := <-p.upgrade:
		return err
	case <-p.done:
		return errGone
	case <-late.C:
		return errSilent
	}
}

// take takes a packet. It reports whether more is to be read.
func (p *peer) take(text string) bool {
	kind, rest := text, ""
	if len(text) > 2 {
		kind, rest = text[:2], text[2:]
	}
	switch kind {
	case "2":
		return p.send("3") == nil
	case "6":
	case "1":
		return false
	case "42":
		p.happened(rest)
	case "43":
		return p.acknowledged(rest)
	default:
		select {
		case p.control <- text:
		default:
			p.at.complainf("a client is told %s, and nobody listens", text)
		}
	}
	return true
}

// happened takes an event, and answers it when it is a question.
func (p *peer) happened(text string) {
	id, event, _ := strings.Cut(text, "[")
	if id != "" {
		_, args, _ := strings.Cut(event, ",")
		_ = p.send("43" + id + "[" + args) // what the server makes of it is counted there
		return
	}
	p.event(text)
}

// acknowledged takes an answer: there is one to each question.
func (p *peer) acknowledged(text string) bool {
	number, args, _ := strings.Cut(text, "[")
	id, err := strconv.Atoi(number)
	p.mu.Lock()
	answer := p.open[id]
	delete(p.open, id)
	p.mu.Unlock()
	if err != nil || answer == nil {
		p.at.complainf("an acknowledgement that nobody waits for, or a second one: %s", text)
		return true
	}
	answer <- "[" + args
	return p.stopAt.Load() != int64(id)
}

// hangUp ends the connections and the reader.
func (p *peer) hangUp() {
	if w := p.socket(); w != nil {
		_ = w.Close() // there is nothing to be done about it
	}
	if p.poll != nil {
		_ = p.poll.Close() // never fails
	}
	<-p.done
}

func (p *peer) socket() *wire.WS {
	p.writing.Lock()
	defer p.writing.Unlock()
	return p.ws
}

// leave says goodbye in the manner of the transport.
func (p *peer) leave() {
	p.at.want.add("closed: transport close", 1)
	p.writing.Lock()
	p.leaving.Store(true)
	if p.ws != nil {
		_ = p.ws.Write(wire.Close(wire.CloseNormal, "")) // else it has ended already, which is counted
	} else {
		_ = p.poll.Send("1") // as above
	}
	p.writing.Unlock()
	p.ended()
}

// ended waits for the server to end the connection.
func (p *peer) ended() {
	select {
	case <-p.done:
	case <-time.After(patience):
		p.at.complainf("the server does not end a connection")
	}
	p.hangUp()
}

// rest ends the reader of a session that polls when no poll waits.
func (p *peer) rest() error {
	p.mu.Lock()
	p.stopAt.Store(int64(p.acks + 1))
	p.mu.Unlock()
	return p.fence()
}

// fence proves that what the server does for those before it has been done: it joins
// a peer to its rooms after it has told it that it is connected.
func (p *peer) fence() error { return p.demand(`["leave",["no room"]]`, `["out"]`) }
