package chat_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// watcher is in a room and writes down what it is told.
type watcher struct {
	*peer
	heard []string
	done  chan struct{}
}

// watch joins the room and listens until a message says that it is over.
func watch(p *peer) *watcher {
	w := &watcher{peer: p, done: make(chan struct{})}
	p.send("42" + p.nsp + `1["join","r"]`)
	go func() {
		defer close(w.done)
		for {
			got, err := p.w.Next()
			if err != nil {
				p.t.Error(err)
				return
			}
			if strings.Contains(got.Data, `["message",`) {
				return
			}
			w.heard = append(w.heard, got.Data)
		}
	}()
	return w
}

// check follows what the watcher has heard: from the answer to its join on, each
// who comes was not there, each who goes was, and the count is right each time.
func (w *watcher) check(t *testing.T) (there map[string]bool) {
	t.Helper()
	<-w.done
	for _, text := range w.heard {
		if body, ok := strings.CutPrefix(text, "43"+w.nsp+"1"); ok {
			var acks []struct {
				UserCount int
				Users     []struct{ UserID string }
			}
			if err := json.Unmarshal([]byte(body), &acks); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			there = make(map[string]bool)
			for _, u := range acks[0].Users {
				there[u.UserID] = true
			}
			if len(there) != acks[0].UserCount {
				t.Errorf("%d users are there, but the count is %d", len(there), acks[0].UserCount)
			}
			continue
		}
		if there == nil {
			continue // before the answer: it knows nothing that it would be told wrongly
		}
		var name string
		var e struct {
			UserID    string
			UserCount int
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "42"+w.nsp)), &[]any{&name, &e}); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if came := name == "user_joined"; there[e.UserID] == came {
			t.Fatalf("%s, but there were %v", text, there)
		} else if came {
			there[e.UserID] = true
		} else {
			delete(there, e.UserID)
		}
		if len(there) != e.UserCount {
			t.Fatalf("%s, but there are %d", text, len(there))
		}
	}
	return there
}

// TestJoinsAndLeavesRace lets users with several sockets each come and go at
// once, by events, by the end of their connection and by the server's hand.
func TestJoinsAndLeavesRace(t *testing.T) {
	s := open(t, chat.Options{})
	watchers := []*watcher{watch(s.as("watcher 0"))}
	var actors sync.WaitGroup
	for i := range 24 {
		p := s.as(fmt.Sprintf("user %d", i%8))
		actors.Go(func() { act(p, i) })
		if i%8 == 7 {
			watchers = append(watchers, watch(s.as(fmt.Sprintf("watcher %d", len(watchers)))))
		}
	}
	kicked := make(chan struct{})
	go func() {
		defer close(kicked)
		for range 50 {
			for sock := range s.io.Of("/chat").Sockets() {
				if u, ok := chat.UserOf(sock); ok && u.ID == "user 1" {
					s.io.Of("/chat").In(sock.ID()).SocketsLeave("r")
				}
			}
		}
	}()
	actors.Wait()
	<-kicked
	last := s.as("last")
	// A join takes its turn behind those who are still at it.
	for got := ""; !strings.Contains(got, `"userCount":5,`); {
		got = last.call("join", `"r"`)
	}
	last.call("message", `{"content":"over"}`)
	for _, w := range watchers {
		if there := w.check(t); len(there) != 5 {
			t.Errorf("in the end there are %v", there)
		}
	}
}

// act comes and goes, and is gone in the end. It reads all along.
func act(p *peer, seed int) {
	var reader sync.WaitGroup
	over := make(chan struct{})
	reader.Go(func() {
		for {
			got, err := p.w.Next()
			if err != nil {
				return
			}
			if strings.HasPrefix(got.Data, "43"+p.nsp+"99[") {
				close(over)
			}
		}
	})
	r := rand.New(rand.NewPCG(1, uint64(seed)))
	for range 200 {
		event := []string{"join", "leave_room"}[r.IntN(2)]
		if err := p.w.Send("42" + p.nsp + `["` + event + `","r"]`); err != nil {
			p.t.Error(err)
		}
	}
	if err := p.w.Send("42" + p.nsp + `99["leave","none"]`); err != nil {
		p.t.Error(err)
	}
	<-over
	if err := p.w.Close(); err != nil {
		p.t.Error(err)
	}
	reader.Wait()
}

// The application may take a socket out of a room: then it is out of the chat's.
func TestServerTakesASocketOutOfARoom(t *testing.T) {
	s := open(t, chat.Options{})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	for sock := range s.io.Of("/chat").Sockets() {
		if u, _ := chat.UserOf(sock); u.ID == "ann" {
			if err := sock.Leave("r"); err != nil {
				t.Fatal(err)
			}
		}
	}
	match(t, "left", bob.want("user_left"), `{"room":"r","userId":"ann","user":"ANN","userCount":1}`)
	match(t, "post", ann.call("message", `{"room":"r","content":"x"}`), `*"not_in_room"*`)
	match(t, "join again", ann.call("join", `"r"`), `{"ok":true,"room":"r","userCount":2,*`)
	bob.want("user_joined")
	bob.quiet()
}

// A listener that takes its socket out of the room while the room is being told
// of a join does not stop the room.
func TestLeaveWithinAnAnnouncement(t *testing.T) {
	s := open(t, chat.Options{})
	s.io.Of("/chat").OnAnyOutgoing(func(sock *server.Socket, event string, _ server.Args) {
		if u, _ := chat.UserOf(sock); event == "user_joined" && u.ID == "shy" {
			_ = sock.Leave("r")
		}
	})
	bob, shy := s.in("bob", "r"), s.in("shy", "r")
	bob.want("user_joined")
	ann := s.in("ann", "r")
	shy.want("user_joined")
	match(t, "joined", bob.want("user_joined"), `{"room":"r","userId":"ann","user":"ANN","userCount":3}`)
	match(t, "left", bob.want("user_left"), `{"room":"r","userId":"shy","user":"SHY","userCount":2}`)
	ann.want("user_left")
	match(t, "who", ann.call("who", `"r"`), `*"userCount":2,*`)
}

// Two tabs that send the same message at once send it once.
func TestRepeatsRace(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	bob := s.in("bob", "r")
	tabs := []*peer{s.in("ann", "r"), s.in("ann", "r"), s.in("ann", "r")}
	bob.want("user_joined")
	for i := range 50 {
		text := fmt.Sprintf(`42/chat,1["message",{"room":"r","content":"x","clientMsgId":%d}]`, i)
		var sent sync.WaitGroup
		for _, p := range tabs {
			sent.Go(func() {
				if err := p.w.Send(text); err != nil {
					t.Error(err)
				}
			})
		}
		sent.Wait()
		acks := map[string]bool{}
		for _, p := range tabs {
			for {
				if got := p.read(); strings.HasPrefix(got, "43") {
					acks[got] = true
					break
				}
			}
		}
		bob.want("message")
		if len(acks) != 1 {
			t.Fatalf("answers differ: %v", acks)
		}
	}
	bob.quiet()
}
