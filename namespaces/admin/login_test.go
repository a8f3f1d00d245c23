package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

// vectors are what Node's server and the page have been seen to say.
type vectors struct {
	Auth map[string]struct {
		Payload json.RawMessage `json:"auth_payload"`
		Frames  []string        `json:"frames_in_order"`
	} `json:"auth"`
	Refused  []json.RawMessage `json:"auth_refused"`
	Features map[string]struct {
		Supported []string `json:"supportedFeatures"`
	} `json:"features"`
	Sequences []struct {
		Step   string `json:"step"`
		Events []struct {
			Event string `json:"event"`
			Args  []any  `json:"args"`
		} `json:"events"`
	} `json:"sequences_development"`
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestLogin compares what is said to each payload with what Node's server says,
// but that the session is told after the CONNECT: the page does not listen
// before.
func TestLogin(t *testing.T) {
	v := readVectors(t)
	bubble(t, admin.Options{Auth: admin.Basic("admin", hash), Load: -1}, func(r *rig) {
		_, first := r.login(login)
		session := first[0].args[0].(string)
		if len(session) != 32 {
			t.Errorf("a session's id is %q, want 16 bytes in hex", session)
		}
		if n := r.logged("level=WARN"); n > 0 {
			t.Errorf("a login is warned of:\n%s", r.logs)
		}
		r.frames(`{"sessionId":null}`) // as the page does when it is opened
		if n := r.logged("level=WARN"); n > 0 {
			t.Errorf("who shows nothing yet is warned of:\n%s", r.logs)
		}
		for name, c := range v.Auth {
			payload := strings.ReplaceAll(string(c.Payload), "47013ea9a0e4e8e8", session)
			if got, want := r.frames(payload), expected(c.Frames); !slices.Equal(got, want) {
				t.Errorf("%s: %s:\n got %q\nwant %q", name, payload, got, want)
			}
		}
	})
	for _, payload := range v.Refused {
		bubble(t, admin.Options{Auth: admin.Basic("admin", hash)}, func(r *rig) {
			if got, want := r.frames(string(payload)), []string{`4/admin,{"message":"invalid credentials"}`}; !slices.Equal(got, want) {
				t.Errorf("%s:\n got %q\nwant %q", payload, got, want)
			}
		})
	}
}

// expected is what Node's server says, as names of packets in our order.
func expected(frames []string) (list []string) {
	session := false
	for _, f := range frames {
		f = strings.TrimPrefix(f, "in ")
		name := nameOf(f)
		switch name {
		case "session":
			session = true
			continue
		case "room_joined", "server_stats": // ours comes after CONNECT; at the next tick
			continue
		}
		list = append(list, name)
		if name == "CONNECT" {
			if session {
				list = append(list, "session")
			}
			list = append(list, "room_joined")
		}
	}
	return list
}

// nameOf is what a packet is, in one word; of a refusal it is all of it.
func nameOf(frame string) string {
	switch {
	case strings.HasPrefix(frame, "0"):
		return "CONNECT"
	case strings.HasPrefix(frame, "4"):
		return frame
	}
	_, text, _ := strings.Cut(frame, `["`)
	name, _, _ := strings.Cut(text, `"`)
	return name
}

// frames are the packets that answer a CONNECT, up to all_sockets.
func (r *rig) frames(payload string) (list []string) {
	r.t.Helper()
	c := r.dial(wire.Handshake{})
	defer func() {
		_ = c.Close()
		synctest.Wait() // the next one is not told of its end
	}()
	c.send("40/admin," + payload)
	for {
		f := strings.TrimPrefix(c.next(), "4")
		list = append(list, nameOf(f))
		if nameOf(f) == "all_sockets" || strings.HasPrefix(f, "4") {
			return list
		}
	}
}

// TestMount: what makes no sense is an error at the start.
func TestMount(t *testing.T) {
	basic := admin.Basic("admin", hash)
	for want, opts := range map[string]admin.Options{
		"no Auth":             {},
		"everybody's":         {Auth: basic, Namespace: "/"},
		"name of a namespace": {Auth: basic, Namespace: "admin"},
		"bcrypt hash":         {Auth: admin.Basic("admin", password)},
		"use at most":         {Auth: admin.Basic("admin", "$2a$20"+hash[6:])},
		"no user name":        {Auth: admin.Basic("", hash)},
		"no function":         {Auth: admin.Any(basic, admin.AuthFunc(nil))},
		"nothing to verify":   {Auth: admin.JWT(nil, "admin")},
		"no role":             {Auth: admin.JWT(func(context.Context, string) (admin.Principal, error) { return admin.Principal{}, nil }, "")},
		"an Auth that is":     {Auth: admin.Any(admin.Auth{})},
		"of nothing":          {Auth: admin.Any()},
		"no Mode":             {Auth: basic, Mode: 2},
		"no Watch":            {Auth: basic, Watch: 3},
		"a Load of":           {Auth: basic, Load: 2},
	} {
		_, err := admin.Mount(server.New(), opts)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("the error is %v, want one about %q", err, want)
		}
	}
}

// TestAuth: who is let in, and as whom.
func TestAuth(t *testing.T) {
	const good, plain = "eyJh.eyJi.good", "eyJh.eyJi.plain"
	auth := admin.Any(
		admin.Basic("root", hash),
		admin.AuthFunc(func(_ context.Context, c admin.Credentials) (admin.Principal, error) {
			if c.Username == "eve" && c.Password == "e" {
				return admin.Principal{ReadOnly: true}, nil
			}
			return admin.Principal{}, errors.New("not eve")
		}),
		admin.JWT(func(_ context.Context, token string) (admin.Principal, error) {
			switch token {
			case good:
				return admin.Principal{Name: "ann", Roles: []string{"admin"}, Expires: time.Now().Add(20 * time.Second)}, nil
			case plain:
				return admin.Principal{Name: "bob", Roles: []string{"user"}}, nil
			}
			return admin.Principal{}, errors.New("forged")
		}, "admin"),
	)
	bubble(t, admin.Options{Auth: auth}, func(r *rig) {
		for payload, want := range map[string]string{
			`{"username":"root","password":"` + password + `"}`:                  "admin=root",
			`{"username":"eve","password":"e"}`:                                  "admin=eve",
			`{"token":"` + good + `"}`:                                           "admin=ann",
			`{"username":"x","password":"` + good + `"}`:                         "admin=ann",
			`{"token":"` + plain + `"}`:                                          "",
			`{"token":"eyJh.eyJi.bad"}`:                                          "",
			`{"token":{"a":1}}`:                                                  "",
			`{"username":"root","password":"` + strings.Repeat("p", 9000) + `"}`: "",
		} {
			before := r.logged(want, "logged in")
			c := r.client()
			c.send("40/admin," + payload)
			got := c.next()
			switch {
			case want == "" && got != `44/admin,{"message":"invalid credentials"}`:
				t.Errorf("%.60s: %.100s", payload, got)
			case want != "" && (!strings.HasPrefix(got, "40/admin,") || c.event().name != "session" || r.logged(want, "logged in") != before+1):
				t.Errorf("%.60s: %.100s, want %s", payload, got, want)
			}
			_ = c.Close()
			synctest.Wait() // the next one is not told of its end
		}
		// Who may be an admin for a while is one for a while, and so is the session.
		a, first := r.login(`{"token":"` + good + `"}`)
		session := first[0].args[0].(string)
		time.Sleep(19 * time.Second)
		_, _ = r.login(`{"sessionId":"` + session + `"}`)
		time.Sleep(2 * time.Second)
		p := a.next()
		for p != "41/admin," {
			p = a.next()
		}
		if got := r.frames(`{"sessionId":"` + session + `"}`); got[0] != `4/admin,{"message":"invalid credentials"}` {
			t.Errorf("a session of somebody whose time is up: %q", got)
		}
	})
}

// TestSessions: a session lives on while it is used.
func TestSessions(t *testing.T) {
	bubble(t, admin.Options{Auth: admin.Basic("admin", hash), SessionTTL: time.Hour, Sessions: admin.NewMemorySessions(2)}, func(r *rig) {
		enter := func() string {
			_, first := r.login(login)
			return `{"sessionId":"` + first[0].args[0].(string) + `"}`
		}
		good := func(session string) bool { return r.frames(session)[0] == "CONNECT" }
		one := enter()
		for range 5 {
			time.Sleep(50 * time.Minute)
			if !good(one) {
				t.Fatal("a session that is in use is forgotten")
			}
		}
		two, three := enter(), enter()
		if good(one) || !good(two) || !good(three) {
			t.Error("of three sessions, where there is room for two, the oldest is not the one that is forgotten")
		}
		time.Sleep(61 * time.Minute)
		if good(two) || good(three) {
			t.Error("a session lives longer than its time")
		}
	})
}

// TestLoginStorm: guessing gets an address nowhere, costs little, and keeps nobody
// else out.
func TestLoginStorm(t *testing.T) {
	var checks atomic.Int64
	auth := admin.AuthFunc(func(_ context.Context, c admin.Credentials) (admin.Principal, error) {
		checks.Add(1)
		time.Sleep(time.Second) // what a hash costs
		if c.Username == "admin" && c.Password == password {
			return admin.Principal{}, nil
		}
		return admin.Principal{}, errors.New("no")
	})
	bubble(t, admin.Options{Auth: auth}, func(r *rig) {
		from := func(addr, auth string) string {
			c := r.dial(wire.Handshake{Header: []string{"X-Forwarded-For: " + addr}})
			defer c.Close()
			c.send("40/admin," + auth)
			return c.next()
		}
		var storm sync.WaitGroup
		for i := range 300 {
			storm.Go(func() {
				if got := from("203.0.113.1", `{"username":"admin","password":"`+strconv.Itoa(i)+`"}`); got != `44/admin,{"message":"invalid credentials"}` {
					t.Errorf("a guess: %s", got)
				}
			})
		}
		storm.Wait()
		if n := checks.Load(); n != 10 {
			t.Errorf("%d of 300 guesses at once were looked at, want 10", n)
		}
		if got := from("203.0.113.1", login); !strings.HasPrefix(got, "44") {
			t.Errorf("an address that guesses too much is let in: %s", got)
		}
		if got := from("203.0.113.2", login); !strings.HasPrefix(got, "40") {
			t.Errorf("another address: %s", got)
		}
		time.Sleep(10 * time.Second)
		if got := from("203.0.113.1", login); !strings.HasPrefix(got, "40") {
			t.Errorf("an address that has guessed a while ago: %s", got)
		}
	}, server.WithTrustedProxies(netip.MustParsePrefix("192.0.2.0/24")))
}

func TestFeatures(t *testing.T) {
	for name, want := range readVectors(t).Features {
		opts := admin.Options{Auth: admin.Insecure(), ReadOnly: strings.Contains(name, "readonly")}
		if strings.HasPrefix(name, "production") {
			opts.Mode = admin.Production
		}
		bubble(t, opts, func(r *rig) {
			_, first := r.login("")
			i := slices.IndexFunc(first, func(m message) bool { return m.name == "config" })
			var got []string
			for _, f := range first[i].args[0].(map[string]any)["supportedFeatures"].([]any) {
				got = append(got, f.(string))
			}
			if !slices.Equal(got, want.Supported) {
				t.Errorf("%s: %q, want %q", name, got, want.Supported)
			}
			if opts.Mode == admin.Production && slices.Contains(names(first), "all_sockets") {
				t.Errorf("%s: sockets are shown", name)
			}
			if slices.Contains(names(first), "session") {
				t.Errorf("%s: without logins there is a session", name)
			}
		})
	}
}
