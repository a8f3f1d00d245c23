package admin_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
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
	bubble(t, admin.Options{Auth: admin.Basic("admin", hash)}, func(r *rig) {
		_, first := r.login(login)
		session := first[0].args[0].(string)
		if len(session) != 32 {
			t.Errorf("a session's id is %q, want 16 bytes in hex", session)
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
