package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// Clients with socket.io-msgpack-parser, and a server that has been told so.

var withMsgpack = server.WithParser(msgpack.Parser{})

// jsonOf is what a handler sees of arguments, as JSON with the number of bytes
// for each attachment.
func jsonOf(args server.Args) string {
	var values []any
	for i := range args.Len() {
		var v any
		if err := args.At(i).Decode(&v); err != nil {
			return err.Error()
		}
		values = append(values, v)
	}
	return jstest.JSON(values)
}

// Values arrive as they do from a JSON client, and come back as they were.
func TestMsgpack_values(t *testing.T) {
	at := time.Date(2024, 5, 1, 12, 0, 0, 123e6, time.UTC)
	values := []any{
		"", "é\n\"😀", strings.Repeat("long", 100), 0, -1, 127, 128, -129, int64(1 << 31), int64(1<<53 - 1), -int64(1<<53 - 1), 0.1, -1.5e-9, float64(1 << 62), true, false, nil,
		[]any{}, map[string]any{}, map[string]any{"a": []any{1, map[string]any{"b": nil}}, "": "x"},
		[]byte{1, 2, 3}, []byte{}, map[string]any{"file": map[string]any{"name": "n", "data": []byte("hi")}, "list": []any{[]byte{9}}},
	}
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		seen := make(chan string, 10)
		s := serve(t, func(io *server.Server) {
			io.Of("/").On("echo", func(_ context.Context, s *server.Socket, args server.Args) error {
				seen <- jsonOf(args)
				if args.WantsAck() {
					return echo(context.Background(), s, args)
				}
				return s.Emit("back", args.Args)
			})
		}, withMsgpack)
		c := d.Connected(s.URL, jstest.Options{Transports: use, Msgpack: true})
		if upgrades(use) {
			c.WaitManager("upgrade")
		}
		want(t, "answer", c.Call("echo", values...), jstest.JSON(values))
		want(t, "seen", receive(t, "event", seen), jstest.JSON(values))

		c.Emit("echo", at, map[string]any{"at": at})
		want(t, "dates", receive(t, "event", seen), `["2024-05-01T12:00:00.123Z",{"at":"2024-05-01T12:00:00.123Z"}]`)
		want(t, "dates sent", c.Wait("back"), `[["2024-05-01T12:00:00.123Z",{"at":"2024-05-01T12:00:00.123Z"}]]`)

		// More attachments than a JSON client could send.
		var many []any
		for i := range 30 {
			many = append(many, []byte{byte(i)})
		}
		want(t, "many", c.Call("echo", many...), jstest.JSON(many))

		// Large in both directions.
		large := []any{make([]byte, 300_000)}
		if got := c.Call("echo", large...).String(); got != jstest.JSON(large) {
			t.Errorf("a large one comes back as %.100s", got)
		}
	})
}

// All operations, with clients in two namespaces.
func TestMsgpack_operations(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			fence(io.Of("/"))
			chat := io.Of("/chat")
			fence(chat)
			chat.Use(func(next server.ConnectHandler) server.ConnectHandler {
				return func(ctx context.Context, s *server.Socket) error {
					var auth struct {
						Name string
						Key  int
					}
					if err := s.Handshake().Auth.Decode(&auth); err != nil {
						return err
					}
					if auth.Key != 7 {
						return &server.ConnectError{Message: "not you", Data: map[string]any{"name": auth.Name, "tries": 3}}
					}
					return next(ctx, s)
				}
			})
			chat.OnConnect(func(_ context.Context, s *server.Socket) error { return s.Join("lobby") })
			chat.On("ask me", func(ctx context.Context, s *server.Socket, args server.Args) error {
				answer, err := s.Ask(ctx, "who", []byte{1})
				if err != nil {
					return err
				}
				return s.Emit("answered", answer.At(0), answer.At(1))
			})
		}, withMsgpack)

		refused := d.Connect(s.URL, jstest.Options{Namespace: "/chat", Transports: use, Msgpack: true, Auth: map[string]any{"name": "eve", "key": 8}})
		e := refused.WaitConnectError()
		want(t, "refusal", e.Message+jstest.JSON(e.Data), `not you{"name":"eve","tries":3}`)

		root := d.Connected(s.URL, jstest.Options{Transports: use, Msgpack: true})
		auth := map[string]any{"name": "ann", "key": 7}
		a := d.Connected("", jstest.Options{Namespace: "/chat", Share: root, Auth: auth})
		b := d.Connected(s.URL, jstest.Options{Namespace: "/chat", Transports: use, Msgpack: true, Auth: auth})
		chat := s.Of("/chat")
		b.Call("fence") // it is told that it is connected before it is in the lobby

		a.Answer("who", "me", []byte{2})
		a.Emit("ask me")
		want(t, "ack of the client", a.Wait("answered"), `["me",{"$bin":"Ag=="}]`)

		if err := errors.Join(
			chat.To("lobby").Emit("news", 1, []byte{3}),
			chat.Compress(false).Emit("plain", "p"),
			chat.Volatile().Emit("volatile", "v"),
			s.Of("/").Emit("news", "root"),
		); err != nil {
			t.Fatal(err)
		}
		for _, c := range []*jstest.Client{a, b} {
			want(t, "broadcast", c.Wait("news"), `[1,{"$bin":"Aw=="}]`)
			want(t, "not compressed", c.Wait("plain"), `["p"]`)
		}
		want(t, "broadcast", root.Wait("news"), `["root"]`)

		a.Answer("each", 1, []byte{4})
		b.Answer("each", 2)
		ctx, cancel := context.WithTimeout(t.Context(), jstest.Deadline)
		defer cancel()
		answers := map[string]bool{}
		for args, err := range chat.AskEach(ctx, "each", []byte{5}) {
			if err != nil {
				t.Fatal(err)
			}
			answers[jsonOf(args)] = true
		}
		if len(answers) != 2 || !answers[`[1,{"$bin":"BA=="}]`] || !answers[`[2]`] {
			t.Errorf("answers %v", answers)
		}

		a.Disconnect()
		root.Call("fence") // on the same connection, so the server knows
		chat.DisconnectSockets(false)
		want(t, "reason", b.WaitDisconnect(), "io server disconnect")
		want(t, "root lives on", root.Call("fence", 1), `[1]`)
	})
}

// A client with the other parser is let go, whichever of the two that is.
func TestMsgpack_otherParser(t *testing.T) {
	d := jstest.Start(t)
	for _, tr := range transports[:2] {
		for _, atClient := range []bool{true, false} {
			var opts []server.Option
			if !atClient {
				opts = append(opts, withMsgpack)
			}
			s := serve(t, func(*server.Server) {}, opts...)
			c := d.Connect(s.URL, jstest.Options{Transports: tr.use, Msgpack: atClient, NoReconnect: true})
			want(t, tr.name, c.WaitManager("close")[0], "transport close")
			if n := s.Stats().Sockets; n != 0 {
				t.Errorf("%s: %d sockets", tr.name, n)
			}
		}
	}
}

// Instances with different parsers are one cluster: what adapters carry are
// arguments.
func TestMsgpack_cluster(t *testing.T) {
	d := jstest.Start(t)
	redis := redistest.Start(t)
	var sites [2]*site
	var clients [2]*jstest.Client
	for i, isMsgpack := range []bool{true, false} {
		rdb := redis.Client()
		t.Cleanup(func() { rdb.Close() })
		opts := []server.Option{server.WithAdapter(redisadapter.PubSub(rdb))}
		if isMsgpack {
			opts = append(opts, withMsgpack)
		}
		sites[i] = serve(t, func(io *server.Server) {
			io.Of("/").On("all", func(_ context.Context, _ *server.Socket, args server.Args) error {
				return io.Of("/").Emit("told", args.At(0), args.At(1))
			})
		}, opts...)
		clients[i] = d.Connected(sites[i].URL, jstest.Options{Msgpack: isMsgpack})
	}
	ctx, cancel := context.WithTimeout(t.Context(), jstest.Deadline)
	defer cancel()
	for _, s := range sites {
		for n := 0; n < 2; { // until they know of each other
			found, err := s.Of("/").FetchSockets(ctx)
			if ctx.Err() != nil {
				t.Fatal(err)
			}
			n = len(found)
		}
	}
	for i, from := range clients {
		object := map[string]any{"n": i, "data": []byte{byte(i)}}
		from.Emit("all", object, time.UnixMilli(0))
		for _, c := range clients {
			want(t, "told", c.Wait("told"), jstest.JSON([]any{object, "1970-01-01T00:00:00.000Z"}))
		}
	}
	for i, c := range clients {
		c.Answer("each", []byte{byte(i)})
	}
	for _, s := range sites {
		n := 0
		for _, err := range s.Of("/").AskEach(ctx, "each", []byte{1}) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 2 {
			t.Errorf("%d answers", n)
		}
	}
}

// The client for MessagePack that the server serves, in a browser.
func TestMsgpack_browser(t *testing.T) {
	chromium := jstest.Chromium(t)
	dist := filepath.Join("..", "..", "cmd", "parlor", "internal", "web", "dist")
	if _, err := os.Stat(filepath.Join(dist, "socket.io.msgpack.min.js")); err != nil {
		command(t, filepath.Join("..", ".."), "make", "cmd/parlor/internal/web/dist/socket.io.min.js")
	}
	s := serve(t, func(io *server.Server) { io.Of("/").On("echo", echo) }, withMsgpack, server.WithClientBundle(os.DirFS(dist)))
	s.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Set("Content-Type", "text/html")
			return // an empty page
		}
		s.ServeHTTP(w, r)
	}))
	var answers []string
	for _, line := range jstest.Run(t, "msgpack.mjs", chromium, s.URL, t.TempDir()) {
		answers = append(answers, strings.TrimSpace(string(line)))
	}
	const answer = `"answer":["é",1.5,null,{"bytes":[1,2]},{"bytes":[]},"1970-01-01T00:00:00.000Z"]}`
	want(t, "answers", strings.Join(answers, "\n"), `{"transports":["websocket"],`+answer+"\n"+`{"transports":["polling"],`+answer+"\n"+`{"transports":["polling","websocket"],`+answer)
}
