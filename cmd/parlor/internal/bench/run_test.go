package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// Each load over each transport: of a server that does its work nothing is lost.
func TestLoads(t *testing.T) {
	target := serve(t, theChat)
	for _, test := range []struct {
		name            string
		change          func(*Options)
		sent, delivered int64
	}{
		{"echo, one at a time", func(o *Options) { o.Load, o.Count = Echo, 20 }, 200, 200},
		{"echo, by a schedule", func(o *Options) { o.Load, o.Count, o.Rate = Echo, 5, 1000 }, 50, 50},
		{"acks, one at a time", func(o *Options) { o.Load, o.Count = Acks, 20 }, 200, 200},
		{"acks, by a schedule", func(o *Options) { o.Load, o.Count, o.Rate = Acks, 5, 1000 }, 50, 50},
		{"flood", func(o *Options) { o.Load, o.Count = Flood, 50 }, 500, 500},
		{"burst", func(o *Options) { o.Load, o.Count, o.Senders, o.Rooms = Broadcast, 30, 4, 2 }, 120, 600},
		{"broadcast, by a schedule", func(o *Options) { o.Load, o.Count, o.Senders, o.Rate = Broadcast, 10, 2, 500 }, 20, 200},
	} {
		for _, transport := range Transports {
			t.Run(fmt.Sprintf("%s/%s", test.name, transport), func(t *testing.T) {
				t.Parallel()
				opts := plan(target, "")
				opts.Transport = transport
				test.change(&opts)
				r := do(t, opts)
				if flaws := r.Flawed(); flaws != "" {
					t.Errorf("flaws: %s; %+v", flaws, r.Traffic)
				}
				if r.Connect.Connected != 10 || r.Traffic.Sent != test.sent || r.Traffic.Delivered != test.delivered || r.Traffic.Latency.Count != test.delivered {
					t.Errorf("%d connected; %+v", r.Connect.Connected, r.Traffic)
				}
			})
		}
	}
}

// Loads without traffic report connections alone.
func TestConnecting(t *testing.T) {
	target := serve(t, theChat)
	for _, load := range []Load{Storm, Idle} {
		opts := plan(target, load)
		opts.Connections, opts.Dialing, opts.Duration = 50, 0, 50*time.Millisecond
		r := do(t, opts)
		if r.Flawed() != "" || r.Connect.Connected != 50 || r.Connect.Latency.Count != 50 || r.Traffic != nil {
			t.Errorf("%s: %q, %+v", load, r.Flawed(), r.Connect)
		}
	}
}

// A server that loses, doubles and moves events is found out, by the number of each.
func TestFlaws(t *testing.T) {
	var mu sync.Mutex
	held := map[string]packet.Arg{} // by socket
	target := serve(t, func(io *server.Server) {
		io.Of("/chat").On("message", func(_ context.Context, s *server.Socket, args server.Args) error {
			var m struct{ N int }
			if err := args.Scan(&m); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			send := func(arg packet.Arg) error { return s.Emit("message", arg) }
			arg := args.At(0)
			switch m.N % 10 {
			case 3: // lost
				return nil
			case 5: // doubled
				if err := send(arg); err != nil {
					return err
				}
			case 7: // behind the next
				held[s.ID()] = args.Clone().At(0)
				return nil
			case 8:
				if err := send(arg); err != nil {
					return err
				}
				arg = held[s.ID()]
			}
			return send(arg)
		})
	})
	opts := plan(target, Flood)
	opts.Join, opts.Count, opts.Timeout = "", 100, 2*time.Second
	opts.Payload = `{"n":{{seq}},"data":"{{data}}"}`
	r := do(t, opts)
	got := fmt.Sprintf("sent %d, lost %d, doubled %d, late %d", r.Traffic.Sent, r.Traffic.Lost, r.Traffic.Duplicated, r.Traffic.OutOfOrder)
	if want := "sent 1000, lost 100, doubled 100, late 100"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := "100 lost, 100 doubled, 100 out of order"; r.Flawed() != want {
		t.Errorf("flaws %q, want %q", r.Flawed(), want)
	}
}

// An event that comes to a room that it was not sent to is no delivery.
func TestMisdirected(t *testing.T) {
	const connections, each = 3, 4
	var mu sync.Mutex
	var emits []func() error // to who sent it, of each event
	target := serve(t, func(io *server.Server) {
		ns := io.Of("/chat")
		ns.On("message", func(_ context.Context, s *server.Socket, args server.Args) error {
			mu.Lock()
			defer mu.Unlock()
			arg := args.Clone().At(0)
			emits = append(emits, func() error { return s.Emit("message", arg) })
			if err := s.Broadcast().Emit("message", arg); err != nil || len(emits) < connections*each {
				return err
			}
			// The run ends when everyone has the last of its own, which come after all others.
			for _, emit := range emits {
				if err := emit(); err != nil {
					return err
				}
			}
			return nil
		})
	})
	opts := plan(target, Echo)
	opts.Join, opts.Connections, opts.Rate, opts.Count = "", connections, 1000, each
	if r := do(t, opts); r.Traffic.Delivered != 12 || r.Traffic.Misdirected != 24 {
		t.Errorf("%+v", r.Traffic)
	}
}

// What the chat refuses is told from what is lost.
func TestRefused(t *testing.T) {
	target := serve(t, theChat)
	opts := plan(target, Acks)
	opts.Join, opts.Count = "", 1
	r := do(t, opts)
	if r.Traffic.Refused != 10 || len(r.Traffic.Refusals) != 1 || !strings.HasPrefix(r.Traffic.Refusals[0].Cause, "not_in_room") {
		t.Errorf("%+v", r.Traffic)
	}
	opts.Load, opts.Timeout = Flood, 2*time.Second // the same without acknowledgements
	if r = do(t, opts); r.Traffic.Refused != 10 || r.Traffic.Lost != 10 {
		t.Errorf("%+v", r.Traffic)
	}
}

// The server sees each payload of CONNECT, and the headers.
func TestCredentials(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]int{}
	target := serve(t, func(io *server.Server) {
		guard(io, func(s *server.Socket) error {
			var auth struct{ Token string }
			if err := json.Unmarshal(s.Handshake().Auth.AppendJSON(nil), &auth); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			seen[auth.Token+" "+s.Handshake().Header().Get("X-Tenant")]++
			return nil
		})
	})
	for _, transport := range Transports {
		opts := plan(target, Storm)
		opts.Transport, opts.Join, opts.Connections = transport, "", 4
		opts.Auth = []json.RawMessage{[]byte(`{"token":"a"}`), []byte(`{"token":"b"}`)}
		opts.Header = http.Header{"X-Tenant": {"t"}}
		do(t, opts)
	}
	if want := "map[a t:9 b t:6]"; fmt.Sprint(seen) != want { // one of each three is who asks first
		t.Errorf("seen %v, want %v", seen, want)
	}
}

// The connections are dealt out to all servers.
func TestTargets(t *testing.T) {
	var mu sync.Mutex
	count := map[int]int{}
	counting := func(n int) func(*server.Server) {
		return func(io *server.Server) {
			guard(io, func(*server.Socket) error {
				mu.Lock()
				defer mu.Unlock()
				count[n]++
				return nil
			})
		}
	}
	opts := plan(serve(t, counting(1)), Storm)
	opts.Targets = append(opts.Targets, serve(t, counting(2)))
	opts.Join, opts.Connections = "", 8
	do(t, opts)
	if count[1] != 5 || count[2] != 5 { // 4 of the run, 1 to ask first
		t.Errorf("%v", count)
	}
}

// A server that takes no connection is an error that says why.
func TestNoServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(page.Close)
	none := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(none.Close)
	parlor := serve(t, theChat)
	refusing := serve(t, func(io *server.Server) {
		guard(io, func(*server.Socket) error {
			return &server.ConnectError{Message: "Authentication error", Data: map[string]string{"code": "token_missing"}}
		})
	})
	deaf := serve(t, func(io *server.Server) { io.Of("/chat") })
	for _, test := range []struct {
		name, address string
		change        func(*Options)
		want          string
	}{
		{"nothing listens", closed.URL, nil, "connection refused"},
		{"nobody answers", "http://" + silent.Addr().String(), nil, "no answer in time"},
		{"a page", page.URL, nil, "not a Socket.IO"},
		{"another path", none.URL, nil, "status 404 to the handshake: not a Socket.IO server, or its path is another (--path)"},
		{"another namespace", "http://" + parlor.Host, func(o *Options) { o.Namespace = "/none" }, "the server has no namespace /none (--namespace)"},
		{"refused", "http://" + refusing.Host, nil, `refused: Authentication error {"code":"token_missing"}`},
		{"the join refused", "http://" + parlor.Host, func(o *Options) { o.JoinPayload = "[]" }, "the join was refused: invalid_payload"},
		{"no acknowledgement", "http://" + deaf.Host, nil, "no acknowledgement of the join in time"},
	} {
		for _, transport := range Transports {
			t.Run(test.name+"/"+string(transport), func(t *testing.T) {
				t.Parallel()
				opts := plan(endpointOf(t, test.address), Echo)
				opts.Transport = transport
				if test.want == "no answer in time" || test.name == "no acknowledgement" {
					opts.Timeout = 3 * time.Second
				}
				if test.change != nil {
					test.change(&opts)
				}
				r, err := Run(t.Context(), opts)
				if err == nil {
					t.Fatalf("a report: %s", r.Title())
				}
				if !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %q, want %q", err, test.want)
				}
			})
		}
	}
}

// A run that is interrupted ends at once, with a report of what there was.
func TestInterrupted(t *testing.T) {
	target := serve(t, theChat)
	for _, load := range []Load{Idle, Echo, Flood, Broadcast} {
		t.Run(string(load), func(t *testing.T) {
			t.Parallel()
			opts := plan(target, load)
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			opts.Progress = func(p Progress) {
				if p.Stage == "idle" || p.Sample.Delivered > 100 {
					interrupt()
				}
			}
			begun := time.Now()
			r, err := Run(ctx, opts)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Interrupted || !strings.HasPrefix(r.Flawed(), "interrupted") || time.Since(begun) > limit/2 {
				t.Errorf("after %v: %q", time.Since(begun), r.Flawed())
			}
			if load.sends() && r.Traffic.Delivered <= 100 {
				t.Errorf("%+v", r.Traffic)
			}
		})
	}
}

// Also one whose clients wait to be in their room, after the upgrade: those that are in it are in the report.
func TestInterruptedWhileJoining(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var joins atomic.Int64
	target := serve(t, func(io *server.Server) {
		server.Call[string, bool]("join").Handle(io.Of("/chat"), func(ctx context.Context, _ *server.Socket, _ string) (bool, error) {
			if joins.Add(1) > 2 { // the client that finds out whether there is a server, and the first of the load
				interrupt()
				<-ctx.Done()
			}
			return true, nil
		})
	})
	opts := plan(target, Idle)
	opts.Transport, opts.Connections, opts.Dialing = Upgrade, 2, 1
	begun := time.Now()
	r, err := Run(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || r.Connect.Connected != 1 || time.Since(begun) > limit/2 {
		t.Errorf("after %v: %q, %+v", time.Since(begun), r.Flawed(), r.Connect)
	}
}
