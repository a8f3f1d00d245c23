package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// A handler may ask its own socket, whose acknowledgement overtakes the events
// that wait.
func TestAskInHandler(t *testing.T) {
	r := serve(t)
	ns := r.Of("/ns")
	ns.On("ask", func(ctx context.Context, s *server.Socket, args server.Args) error {
		answer, err := s.Ask(ctx, "who", 1)
		if err != nil {
			return err
		}
		return args.Ack(answer.At(0), answer.Len(), answer.Event(), answer.WantsAck())
	})
	ns.On("next", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack("next") })
	c := r.dial()
	c.join("/ns", "")
	c.send(`42/ns,1["ask"]`, `42/ns,2["next"]`)
	c.expect(`42/ns,0["who",1]`)
	c.send(`43/ns,0[{"name":"ann"},2]`)
	c.expect(`43/ns,1[{"name":"ann"},2,"",false]`, `43/ns,2["next"]`)
	c.send(`43/ns,0["again"]`, `43/ns,77[]`) // behaviour 12: ignored, and counted
	eventually(t, "stray acknowledgements are counted", func() bool { return r.Stats().StrayAcks == 2 })
}

// Behaviour 13: the text is Node's, and one counter is the namespace's.
func TestAskTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t, server.WithPingInterval(5*time.Second))
		c, id := r.connect()
		s := r.socket("/", id)
		asked := make(chan []string)
		go func() {
			var list []string
			for len(list) < 4 {
				list = append(list, c.next())
			}
			asked <- list
		}()
		for i, tt := range []struct {
			ask  func() error
			want time.Duration
		}{
			{func() error { _, err := s.Ask(t.Context(), "q"); return err }, server.DefaultAckTimeout},
			{func() error { _, err := s.Timeout(time.Minute).Ask(t.Context(), "q"); return err }, time.Minute},
			{func() error {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				_, err := s.Ask(ctx, "q")
				return err
			}, 3 * time.Second},
			{func() error {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, errors.New("other"))
				defer cancel()
				for _, err := range r.Of("/").AskEach(ctx, "q") {
					return err
				}
				return nil
			}, 3 * time.Second},
		} {
			start := time.Now()
			err := tt.ask()
			if !errors.Is(err, server.ErrAckTimeout) || !strings.Contains(err.Error(), "operation has timed out") {
				t.Errorf("%d: %v", i, err)
			}
			if took := time.Since(start); took != tt.want {
				t.Errorf("%d: after %v, want %v", i, took, tt.want)
			}
		}
		if got, want := <-asked, []string{`420["q"]`, `421["q"]`, `422["q"]`, `423["q"]`}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestAskOfContextThatEnds(t *testing.T) {
	r := serve(t)
	c, id := r.connect()
	s := r.socket("/", id)
	cause := errors.New("changed my mind")
	ctx, cancel := context.WithCancelCause(waited(t))
	done := make(chan error, 2)
	go func() { _, err := s.Ask(ctx, "q"); done <- err }()
	c.expect(`420["q"]`)
	go func() {
		for _, err := range r.Of("/").AskEach(ctx, "q") {
			done <- err
		}
	}()
	c.expect(`421["q"]`)
	cancel(cause)
	for range 2 {
		if err := receive(t, "the end", done); !errors.Is(err, cause) {
			t.Errorf("%v, want %v", err, cause)
		}
	}
}

func TestAskDisconnected(t *testing.T) {
	for name, end := range map[string]func(c *client, s *server.Socket){
		"by the server":     func(_ *client, s *server.Socket) { s.Disconnect(false) },
		"by the client":     func(c *client, _ *server.Socket) { c.send("41") },
		"by the connection": func(c *client, _ *server.Socket) { c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			c, id := r.connect()
			s := r.socket("/", id)
			done := make(chan error, 2)
			go func() { _, err := s.Ask(waited(t), "q"); done <- err }()
			c.expect(`420["q"]`)
			go func() { _, err := s.Ask(s.Context(), "q"); done <- err }() // ended by its context as well
			c.expect(`421["q"]`)
			end(c, s)
			for range 2 {
				if err := receive(t, "the end", done); !errors.Is(err, server.ErrDisconnected) {
					t.Errorf("%v", err)
				}
			}
			if _, err := s.Ask(waited(t), "q"); !errors.Is(err, server.ErrDisconnected) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestE05_TooManyAcks: acknowledgements that are outstanding are bounded, and a wait that has
// ended makes room.
func TestE05_TooManyAcks(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{PendingAcks: 2}))
	c, id := r.connect()
	s := r.socket("/", id)
	ctx, cancel := context.WithCancel(waited(t))
	done := make(chan error, 2)
	for i := range 2 {
		go func() { _, err := s.Ask(ctx, "q"); done <- err }()
		c.expect(fmt.Sprintf(`42%d["q"]`, i))
	}
	if _, err := s.Ask(waited(t), "q"); !errors.Is(err, server.ErrTooManyAcks) {
		t.Errorf("the third: %v", err)
	}
	for _, err := range r.Of("/").AskEach(waited(t), "q") {
		if incomplete, ok := errors.AsType[*server.IncompleteError](err); !ok || incomplete.Missing != 1 {
			t.Errorf("a broadcast: %v", err)
		}
	}
	cancel()
	for range 2 {
		receive(t, "the end", done)
	}
	go func() { _, err := s.Ask(waited(t), "q"); done <- err }()
	c.expect(`424["q"]`)
	c.send(`434[]`)
	if err := receive(t, "the answer", done); err != nil {
		t.Error(err)
	}
	// Broadcasts that nobody waits for any more leave nothing behind either.
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		for range r.Of("/").AskEach(over, "q") { // whatever it yields
		}
	}
	eventually(t, "the questions are forgotten", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := s.Ask(ctx, "q")
		return !errors.Is(err, server.ErrTooManyAcks)
	})
}

func TestAskEach(t *testing.T) {
	r := serve(t)
	clients := make([]*client, 3)
	for i := range clients {
		clients[i], _ = r.connect()
	}
	type answer struct {
		text string
		err  error
	}
	ask := func(b server.Broadcast) <-chan answer {
		answers := make(chan answer, 10)
		go func() {
			defer close(answers)
			for args, err := range b.AskEach(waited(t), "q", 1) {
				text, _ := args.At(0).Text()
				answers <- answer{text, err}
			}
		}()
		return answers
	}
	collect := func(answers <-chan answer) (texts []string, last error) {
		for a := range answers {
			if a.err != nil {
				last = a.err
				continue
			}
			texts = append(texts, a.text)
		}
		slices.Sort(texts)
		return texts, last
	}

	answers := ask(r.Of("/").Local())
	for i, c := range clients {
		c.expect(`420["q",1]`)
		c.send(fmt.Sprintf(`430["%d"]`, i))
	}
	if texts, err := collect(answers); !slices.Equal(texts, []string{"0", "1", "2"}) || err != nil {
		t.Errorf("all: %q, %v", texts, err)
	}

	if texts, err := collect(ask(r.Of("/").To("nobody"))); texts != nil || err != nil { // behaviour 14
		t.Errorf("nobody: %q, %v", texts, err)
	}

	answers = ask(r.Of("/").Local())
	clients[0].expect(`422["q",1]`)
	clients[0].send(`432["0"]`)
	clients[1].expect(`422["q",1]`)
	clients[1].Close()
	clients[2].expect(`422["q",1]`)
	clients[2].send(`41`)
	texts, err := collect(answers)
	incomplete, ok := errors.AsType[*server.IncompleteError](err)
	if !slices.Equal(texts, []string{"0"}) || !ok || incomplete.Missing != 2 || incomplete.Instances != 0 || !errors.Is(err, server.ErrAckTimeout) {
		t.Errorf("two are gone: %q, %v", texts, err)
	}
}

func TestAskEachTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		a, _ := r.connect()
		_, _ = r.connect()
		go func() {
			a.expect(`420["q"]`)
			a.send(`430["a"]`)
		}()
		start := time.Now()
		var got []string
		for args, err := range r.Of("/").AskEach(t.Context(), "q") {
			got = append(got, fmt.Sprint(args.Len(), " ", err))
		}
		if took := time.Since(start); took != server.DefaultAckTimeout {
			t.Errorf("after %v", took)
		}
		if want := []string{"1 <nil>", "0 operation has timed out: 1 clients did not answer"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A loop may be left: nobody is waited for.
func TestAskEachBreak(t *testing.T) {
	r := serve(t)
	c, _ := r.connect()
	_, _ = r.connect()
	go func() {
		_, _ = c.Next() // the question
		_ = c.Send(`430["a"]`)
	}()
	for args, err := range r.Of("/").AskEach(waited(t), "q") {
		if text, _ := args.At(0).Text(); text != "a" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		break
	}
}

// What AskEach returns asks anew whenever it is ranged over, by several at once too.
func TestAskEachAgain(t *testing.T) {
	const times = 3
	r := serve(t)
	c, _ := r.connect()
	questions := r.Of("/").AskEach(waited(t), "q")
	answered := make(chan int, times)
	for range times {
		go func() {
			n := 0
			for args := range questions {
				n += args.Len()
			}
			answered <- n
		}()
	}
	for range times {
		id := strings.TrimSuffix(strings.TrimPrefix(c.next(), "42"), `["q"]`)
		c.send("43" + id + `["a"]`)
	}
	for range times {
		if n := receive(t, "an answer", answered); n != 1 {
			t.Errorf("%d answers, want 1", n)
		}
	}
}

// Who is not connected yet, or not any more, is not asked and not missed, though it
// is in its rooms: while observers hear of its beginning and handlers of its end.
func TestAskEachOfWhoIsNotThere(t *testing.T) {
	r := serve(t)
	asked := make(chan error, 2)
	ask := func() {
		for _, err := range r.Of("/").Timeout(patience).AskEach(waited(t), "q") {
			asked <- err
			return
		}
		asked <- nil
	}
	r.Observe(&hooked{notebook: &notebook{}, connected: ask})
	r.Of("/").OnDisconnecting(func(context.Context, *server.Socket, server.Reason) { ask() })
	c, _ := r.connect()
	c.send("41")
	for _, when := range []string{"connecting", "disconnecting"} {
		if err := receive(t, "the end of the question", asked); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
}
