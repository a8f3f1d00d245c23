package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

// The events of one socket are handled one after another in the order of their arrival, however long each
// takes, also across the upgrade; those of another socket do not wait for them.
func TestBehaviour01_events_in_order(t *testing.T) {
	const events = 250 // with what follows no more than wait for a handler: a POST that is held up holds the upgrade up
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		type state struct {
			sequence
			running atomic.Int32
			overlap bool
		}
		entered, release := make(chan struct{}), make(chan struct{})
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.OnConnect(func(_ context.Context, s *server.Socket) error {
				s.SetData(new(state))
				return nil
			})
			ns.On("n", func(_ context.Context, s *server.Socket, args server.Args) error {
				st := s.Data().(*state)
				if st.running.Add(1) > 1 {
					st.overlap = true
				}
				defer st.running.Add(-1)
				var n int
				if err := args.Scan(&n); err != nil {
					return err
				}
				if n == 0 {
					close(entered)
					<-release
				}
				st.add(n)
				return nil
			})
			ns.On("end", func(_ context.Context, s *server.Socket, args server.Args) error {
				st := s.Data().(*state)
				return args.Ack(st.next, st.wrong, st.overlap)
			})
			fence(ns)
		})
		c, other := d.Connected(s.URL, jstest.Options{Transports: use}), d.Connected(s.URL, jstest.Options{Transports: use})
		c.Burst("n", events)
		receive(t, "the first event", entered)
		other.Call("fence")
		end := c.StartCall(jstest.Deadline, "end")
		if upgrades(use) {
			c.WaitManager("upgrade") // it does not wait for the handler either
		}
		close(release)
		got, err := end.Result()
		if err != nil {
			t.Fatal(err)
		}
		want(t, "events, of those out of order, overlapping", got, fmt.Sprintf("[%d,0,false]", events))
	})
}

// Acknowledgements, both ways: each reaches who asked, a second one is ignored, so is one that nobody waits
// for; bytes travel in both.
func TestBehaviour12_acks(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.On("twice", func(_ context.Context, _ *server.Socket, args server.Args) error {
				return errors.Join(args.Ack("first"), args.Ack("second"))
			})
			ns.On("echo", echo)
			ns.On("ask", func(ctx context.Context, s *server.Socket, args server.Args) error {
				answer, err := s.Ask(ctx, "question", args.At(0))
				if err != nil {
					return err
				}
				return args.Ack(s.ID(), answer.At(0), answer.At(1), answer.Len())
			})
			fence(ns)
		})
		c := d.Connected(s.URL, jstest.Options{Transports: use, Frames: true})
		want(t, "answered twice", c.Call("twice"), `["first"]`)
		want(t, "several values and none", c.Call("echo", 1, "two", nil, []any{3}), `[1,"two",null,[3]]`)
		want(t, "without arguments", c.Call("echo"), `[]`)
		want(t, "bytes", c.Call("echo", []byte{1, 2}, map[string]any{"a": []any{[]byte{}, []byte{255}}}),
			`[{"$bin":"AQI="},{"a":[{"$bin":""},{"$bin":"/w=="}]}]`)

		c.SendMessage(`3999["nobody asked"]`)
		c.Call("fence")
		acks := 0
		for _, packet := range c.In() {
			if strings.HasPrefix(packet, `43`) && strings.Contains(packet, "second") {
				t.Errorf("a second acknowledgement was sent: %s", packet)
			}
			if strings.HasPrefix(packet, `43`) || strings.HasPrefix(packet, `46`) {
				acks++
			}
		}
		if acks != 5 {
			t.Errorf("%d acknowledgements for 5 calls", acks)
		}

		// Two are asked at the same time, and answer in the other order.
		other := d.Connected(s.URL, jstest.Options{Transports: use})
		first, second := c.StartCall(jstest.Deadline, "ask", "c"), other.StartCall(jstest.Deadline, "ask", []byte("o"))
		q1, q2 := c.Wait("question"), other.Wait("question")
		want(t, "question", q1, `["c"]`)
		want(t, "question with bytes", q2, `[{"$bin":"bw=="}]`)
		q2.Ack("from other", []byte{9})
		q1.Ack("from c")
		got, err := first.Result()
		if err != nil {
			t.Fatal(err)
		}
		want(t, "the first's answer", got, fmt.Sprintf(`["%s","from c",null,1]`, c.State().ID))
		if got, err = second.Result(); err != nil {
			t.Fatal(err)
		}
		want(t, "the second's", got, fmt.Sprintf(`["%s","from other",{"$bin":"CQ=="},2]`, other.State().ID))
	})
}

// An acknowledgement that does not come in time is Node's error, on both sides; one that comes late is ignored,
// and not taken for the answer to the next question.
func TestBehaviour13_ack_timeout(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		asked := make(chan error, 1)
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.On("silent", func(context.Context, *server.Socket, server.Args) error { return nil })
			ns.On("ask", func(ctx context.Context, s *server.Socket, _ server.Args) error {
				_, err := s.Timeout(30*time.Millisecond).Ask(ctx, "question")
				asked <- err
				return nil
			})
			ns.On("ask again", func(ctx context.Context, s *server.Socket, args server.Args) error {
				answer, err := s.Ask(ctx, "question")
				if err != nil {
					return err
				}
				return args.Ack(answer.At(0))
			})
			fence(ns)
		})
		c := d.Connected(s.URL, jstest.Options{Transports: use})
		if _, err := c.StartCall(30*time.Millisecond, "silent").Result(); err == nil || err.Error() != "operation has timed out" {
			t.Errorf("the client's error: got %v", err)
		}
		c.Emit("ask")
		late := c.Wait("question")
		err := receive(t, "the server's error", asked)
		if !errors.Is(err, server.ErrAckTimeout) || !strings.HasSuffix(err.Error(), "operation has timed out") {
			t.Errorf("the server's error: got %v", err)
		}
		again := c.StartCall(jstest.Deadline, "ask again")
		question := c.Wait("question")
		late.Ack("late")
		question.Ack("in time")
		got, err := again.Result()
		if err != nil {
			t.Fatal(err)
		}
		want(t, "the second answer", got, `["in time"]`)
		if n := s.Stats().StrayAcks; n != 1 {
			t.Errorf("%d acknowledgements that nobody waited for, want the late one", n)
		}
	})
}

// A broadcast that asks: the answers as they come, and at the end the same error when some are missing. Nobody
// to ask is no answers at once.
func TestBehaviour14_broadcast_acks(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.OnConnect(func(_ context.Context, s *server.Socket) error { return s.Join("room") })
			fence(ns)
		})
		var clients []*jstest.Client
		for range 3 {
			clients = append(clients, d.Connected(s.URL, jstest.Options{Transports: use}))
		}
		ask := func(b server.Broadcast) (answers []string, err error) {
			for args, e := range b.AskEach(t.Context(), "question", 1) {
				if e != nil {
					err = errors.Join(err, e)
					continue
				}
				var answer string
				if e := args.Scan(&answer); e != nil {
					t.Error(e)
				}
				answers = append(answers, answer)
			}
			slices.Sort(answers)
			return answers, err
		}

		for i, c := range clients {
			c.Call("fence")
			c.Answer("question", fmt.Sprint("client ", i))
		}
		answers, err := ask(s.Of("/").To("room").Timeout(jstest.Deadline))
		if err != nil || !slices.Equal(answers, []string{"client 0", "client 1", "client 2"}) {
			t.Errorf("all answer: got %q, %v", answers, err)
		}

		silent := d.Connected(s.URL, jstest.Options{Transports: use})
		silent.Call("fence") // the handler that lets it into the room runs after it has been told that it is connected
		// Enough for the three; the fourth makes us wait for all of it.
		answers, err = ask(s.Of("/").To("room").Timeout(5 * time.Second))
		if !slices.Equal(answers, []string{"client 0", "client 1", "client 2"}) {
			t.Errorf("one does not answer: got %q", answers)
		}
		incomplete, ok := errors.AsType[*server.IncompleteError](err)
		if !ok || incomplete.Missing != 1 || !errors.Is(err, server.ErrAckTimeout) {
			t.Errorf("one does not answer: got error %v", err)
		}
		if !strings.Contains(fmt.Sprint(err), "operation has timed out") {
			t.Errorf("one does not answer: the error is not Node's: %v", err)
		}
		silent.Wait("question").Ack("late")
		silent.Call("fence")

		began := time.Now()
		answers, err = ask(s.Of("/").To("nobody").Timeout(jstest.Deadline))
		if len(answers) > 0 || err != nil {
			t.Errorf("nobody to ask: got %q, %v", answers, err)
		}
		if took := time.Since(began); took > jstest.Deadline/2 {
			t.Errorf("nobody to ask: took %v", took)
		}
	})
}

// What is volatile is dropped for a client that is not ready, and for no other reason: it neither waits nor
// counts against the client. What is not volatile comes, all of it and in order, beside it.
func TestBehaviour15_volatile(t *testing.T) {
	t.Run("ready", func(t *testing.T) {
		eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
			s := serve(t, func(io *server.Server) { fence(io.Of("/")) })
			c := d.Connected(s.URL, jstest.Options{Transports: use})
			if upgrades(use) {
				c.WaitManager("upgrade")
			}
			// A client is ready when it has a poll parked, or its socket's last write has returned: a moment after
			// it has said anything. So not each try need arrive, but it is no matter of luck: each leaves it more time.
			for try := range 100 {
				time.Sleep(time.Duration(try) * time.Millisecond)
				if err := s.Of("/").Volatile().Emit("v", try); err != nil {
					t.Fatal(err)
				}
				c.Call("fence")
				if len(c.Events("v")) > 0 {
					return
				}
			}
			t.Error("of 100 volatile events to an idle client none arrived")
		})
	})
	t.Run("mixed", func(t *testing.T) {
		const events = 500
		eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
			s := serve(t, func(io *server.Server) {
				ns := io.Of("/")
				ns.On("start", func(_ context.Context, s *server.Socket, args server.Args) error {
					for i := range events {
						if err := errors.Join(s.Emit("n", i), s.Volatile().Emit("v", i)); err != nil {
							return err
						}
					}
					return args.Ack()
				})
			})
			c := d.Connected(s.URL, jstest.Options{Transports: use, Collect: []string{"n", "v"}})
			c.Call("start")
			inOrder(t, "events", c.Collected("n", events), events)
			volatile := c.Collected("v", 0)
			last := -1.0
			for _, v := range volatile {
				if n := v.(float64); n <= last {
					t.Fatalf("volatile event %v after %v", n, last)
				} else {
					last = n
				}
			}
			if got, dropped := len(volatile), int(s.Stats().VolatileDropped); got+dropped != events {
				t.Errorf("%d volatile events came and %d were counted as dropped, of %d", got, dropped, events)
			}
		})
	})
	t.Run("not reading", func(t *testing.T) {
		const events, size = 1000, 64 << 10 // 64 MB, far over what the kernel and the queue hold
		for _, tr := range transports[:2] {
			t.Run(tr.name, func(t *testing.T) {
				d := jstest.Start(t)
				s := serve(t, func(io *server.Server) { fence(io.Of("/")) })
				c := d.Connected(s.URL, jstest.Options{Transports: tr.use, Collect: []string{"v"}})
				d.Pause()
				pad := strings.Repeat("x", size)
				for i := range events {
					if err := s.Of("/").Volatile().Emit("v", i, pad); err != nil {
						t.Fatal(err)
					}
				}
				d.Resume()
				c.Call("fence")
				got, dropped := len(c.Collected("v", 0)), int(s.Stats().VolatileDropped)
				if dropped == 0 || got+dropped != events {
					t.Errorf("%d came and %d were counted as dropped, of %d", got, dropped, events)
				}
				if !c.State().Connected {
					t.Error("the client was let go")
				}
			})
		}
	})
}

// Rooms: a socket is in the one of its own name; to, except and broadcast of a socket leave it out, those of the
// namespace do not; who is in several of the rooms gets one copy.
func TestBehaviour18_rooms(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.OnConnect(func(_ context.Context, s *server.Socket) error {
				var auth struct{ Rooms []string }
				if err := s.Handshake().Auth.Decode(&auth); err != nil {
					return err
				}
				return s.Join(auth.Rooms...)
			})
			ns.On("run", func(_ context.Context, s *server.Socket, args server.Args) error {
				err := errors.Join(
					s.To("a").Emit("x", "socket to a"),
					s.To("a", "b").Emit("x", "socket to a b"),
					s.To("a").To("b").Emit("x", "socket to a, to b"),
					s.Broadcast().Emit("x", "socket broadcast"),
					s.Except("b").Emit("x", "socket except b"),
					s.To("a", "b").Except("c").Emit("x", "socket to a b except c"),
					ns.To("a", "b").Emit("x", "io to a b"),
					ns.Except("a").Emit("x", "io except a"),
					ns.Emit("x", "io"),
					ns.To("nobody").Emit("x", "io to nobody"),
					s.To(s.ID()).Emit("x", "socket to itself"),
					ns.To(s.ID()).Emit("x", "io to the sender"),
					s.Emit("x", "emit"),
				)
				return errors.Join(err, args.Ack(len(s.Rooms()), s.InRoom(s.ID())))
			})
			fence(ns)
		})
		join := func(rooms ...any) *jstest.Client {
			return d.Connected(s.URL, jstest.Options{Transports: use, Auth: map[string]any{"rooms": rooms}})
		}
		clients := map[string]*jstest.Client{"sender in a, b": join("a", "b"), "a, b": join("a", "b"), "a": join("a"), "b, c": join("b", "c"), "none": join()}
		for _, c := range clients {
			c.Call("fence") // it is told that it is connected before it is in its rooms
		}
		want(t, "its rooms", clients["sender in a, b"].Call("run"), "[3,true]")
		for who, wanted := range map[string][]string{
			"sender in a, b": {"io to a b", "io", "io to the sender", "emit"},
			"a, b": {
				"socket to a", "socket to a b", "socket to a, to b", "socket broadcast", "socket to a b except c",
				"io to a b", "io",
			},
			"a": {
				"socket to a", "socket to a b", "socket to a, to b", "socket broadcast", "socket except b",
				"socket to a b except c", "io to a b", "io",
			},
			"b, c": {"socket to a b", "socket to a, to b", "socket broadcast", "io to a b", "io except a", "io"},
			"none": {"socket broadcast", "socket except b", "io except a", "io"},
		} {
			clients[who].Call("fence")
			var quoted []string
			for _, w := range wanted {
				quoted = append(quoted, jstest.JSON([]string{w}))
			}
			if got := clients[who].Events("x"); !slices.Equal(got, quoted) {
				t.Errorf("%s:\n got %v\nwant %v", who, got, quoted)
			}
		}
	})
}
