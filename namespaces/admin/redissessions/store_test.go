package redissessions_test

import (
	"context"
	"reflect"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/redissessions"
)

func TestStore(t *testing.T) {
	redis := redistest.Start(t)
	rdb := redis.Client()
	t.Cleanup(func() { rdb.Close() })
	shared := redissessions.New(rdb, redissessions.Options{})
	separate := redissessions.New(rdb, redissessions.Options{Separate: true})

	until := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for _, c := range []struct {
		name  string
		store *redissessions.Store
		p     admin.Principal
		key   string
	}{
		{"everything", shared, admin.Principal{Name: "ann", Roles: []string{"admin"}, Credential: "basic:x"}, "socket.io-admin#everything"},
		{"only look", shared, admin.Principal{Name: "bob", ReadOnly: true}, "socket.io-admin-parlor#only look"},
		{"for a while", shared, admin.Principal{Name: "cid", Expires: until}, "socket.io-admin-parlor#for a while"},
		{"separate", separate, admin.Principal{Name: "dan"}, "socket.io-admin-parlor#separate"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.store.Put(t.Context(), c.name, c.p, time.Minute); err != nil {
				t.Fatal(err)
			}
			p, ok, err := c.store.Get(t.Context(), c.name, time.Hour)
			if !ok || err != nil || !reflect.DeepEqual(p, c.p) {
				t.Errorf("Get: %+v, %t, %v, want %+v", p, ok, err, c.p)
			}
			if ttl := redis.Do("TTL", c.key).(int64); ttl < 3500 {
				t.Errorf("%s lives another %d s, want an hour since it was used", c.key, ttl)
			}
		})
	}

	redis.Do("SET", "socket.io-admin#0123456789abcdef", "true", "EX", "86400") // as Node's RedisStore does
	if p, ok, err := shared.Get(t.Context(), "0123456789abcdef", time.Hour); !ok || err != nil || p.Name == "" || p.ReadOnly || p.Credential != admin.NodeCredential {
		t.Errorf("a session of Node's: %+v, %t, %v", p, ok, err)
	}
	for name, id := range map[string]string{"Node's": "0123456789abcdef", "nobody's": "none"} {
		if p, ok, err := separate.Get(t.Context(), id, time.Hour); ok || err != nil {
			t.Errorf("%s session: %+v, %t, %v", name, p, ok, err)
		}
	}
	redis.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, ok, err := shared.Get(ctx, "everything", time.Hour); ok || err == nil {
		t.Error("without Redis there is a session, or no error")
	}
}
