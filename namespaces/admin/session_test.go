package admin_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
)

// TestSessionOfOldCredentials: sessions that outlive the process, as those in Redis
// do, are good for as long as what they were made with is, whoever else is an admin.
func TestSessionOfOldCredentials(t *testing.T) {
	const (
		ann   = `"username":"ann","password":"` + password + `"`
		bob   = `"username":"bob","password":"` + password + `"`
		guest = `"username":"guest"`
		token = `"token":"eyJh.eyJi.good"`
	)
	newer, err := bcrypt.GenerateFromPassword([]byte("changed"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	anns, bobs, newAnns := admin.Basic("ann", hash), admin.Basic("bob", hash), admin.Basic("ann", string(newer))
	guests := admin.AuthFunc(func(_ context.Context, c admin.Credentials) (admin.Principal, error) {
		if c.Username != "guest" {
			return admin.Principal{}, admin.ErrCredentials
		}
		return admin.Principal{ReadOnly: true}, nil
	})
	tokens := admin.JWT(func(context.Context, string) (admin.Principal, error) {
		return admin.Principal{Name: "cid", Roles: []string{"admin"}, Expires: time.Now().Add(time.Hour)}, nil
	}, "admin")

	synctest.Test(t, func(t *testing.T) {
		sessions := admin.NewMemorySessions(10)
		start := func(auth admin.Auth) *rig {
			return serveOn(t, wire.ListenPipe(), admin.Options{Auth: auth, Sessions: sessions})
		}
		first := start(admin.Any(anns, bobs, guests, tokens))
		made := make(map[string]string) // with what credentials → session
		for _, with := range []string{ann, bob, guest, token} {
			_, told := first.login("{" + with + "}")
			made[with] = `"sessionId":"` + told[0].args[0].(string) + `"`
		}
		for name, c := range map[string]struct {
			auth admin.Auth
			good []string
		}{
			"as before":             {admin.Any(anns, bobs, guests, tokens), []string{ann, bob, guest, token}},
			"in another order":      {admin.Any(admin.Any(tokens, guests), admin.Any(bobs, anns)), []string{ann, bob, guest, token}},
			"another password":      {admin.Any(newAnns, bobs, guests, tokens), []string{bob, guest, token}},
			"an admin less":         {admin.Any(anns, tokens), []string{ann, token}},
			"the function alone":    {guests, []string{guest}},
			"tokens alone":          {tokens, []string{token}},
			"another user, her own": {admin.Basic("eve", hash), nil},
		} {
			r := start(c.auth)
			got := make(map[string]bool)
			for with, session := range made {
				got[with] = r.frames("{" + session + "}")[0] == "CONNECT"
			}
			for _, with := range c.good {
				if !got[with] {
					t.Errorf("%s: the session of %s is over", name, with)
				}
				delete(got, with)
			}
			for with, in := range got {
				if in {
					t.Errorf("%s: the session of %s lets in", name, with)
				}
			}
			if refused := len(made) - len(c.good); refused > 0 && r.logged("level=WARN", "the session is over") == 0 {
				t.Errorf("%s: nothing is said of %d refusals:\n%s", name, refused, r.logs)
			}
		}
		r := start(newAnns)
		if got := r.frames("{" + made[ann] + `,"username":"ann","password":"changed"}`)[:2]; got[1] != "session" {
			t.Errorf("the new password beside the old session: %q", got)
		}
	})
}

// TestRecheck: the application says whether those whom its functions have let in still
// may, and is not asked of others.
func TestRecheck(t *testing.T) {
	version := map[string]string{"ann": "1", "bob": "1"}
	opts := admin.Options{
		Auth: admin.Any(admin.Basic("admin", hash), admin.AuthFunc(func(_ context.Context, c admin.Credentials) (admin.Principal, error) {
			if version[c.Username] == "" {
				return admin.Principal{}, admin.ErrCredentials
			}
			return admin.Principal{Credential: version[c.Username]}, nil
		})),
		Recheck: func(ctx context.Context, p admin.Principal) error {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("there is no end to a question")
			}
			if version[p.Name] != p.Credential {
				return errors.New("changed since")
			}
			return nil
		},
	}
	bubble(t, opts, func(r *rig) {
		made := make(map[string]string)
		for _, payload := range []string{`{"username":"ann"}`, `{"username":"bob"}`, login} {
			_, told := r.login(payload)
			made[payload] = `{"sessionId":"` + told[0].args[0].(string) + `"}`
		}
		good := func(payload string) bool { return r.frames(made[payload])[0] == "CONNECT" }
		for payload := range made {
			if !good(payload) {
				t.Errorf("the session of %s is over", payload)
			}
		}
		version["ann"] = "2"
		delete(version, "bob")
		if good(`{"username":"ann"}`) || good(`{"username":"bob"}`) || !good(login) {
			t.Error("a session lets in whose password has changed, or who is gone, or not the third")
		}
		if r.logged("the session is over", `changed since`) == 0 {
			t.Errorf("why is not in the log:\n%s", r.logs)
		}
	})
}
