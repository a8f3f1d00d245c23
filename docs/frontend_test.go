package docs_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// The room of frontend.md loses nothing and doubles nothing when a connection breaks, and when the server
// leaves the join after that, or a message, without an answer.
func TestFrontendRoom(t *testing.T) {
	var script string
	for _, b := range fenced(pages(t)["frontend.md"], "js") {
		if strings.Contains(b.text, "function createRoom") {
			script = filepath.Join(t.TempDir(), "room.mjs")
			if err := os.WriteFile(script, []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	io := server.New()
	seen := map[string]*atomic.Int32{"join": {}, "message": {}} // events, by name
	io.Of("/").UseEvent(func(next server.Handler) server.Handler {
		return func(ctx context.Context, s *server.Socket, args server.Args) error {
			if n := seen[args.Event()]; n != nil && n.Add(1) == 3 { // after the two of the beginning
				return errors.New("unanswered")
			}
			return next(ctx, s, args)
		}
	})
	chat.Mount(io.Of("/"), chat.Options{})
	web := httptest.NewServer(io)
	defer web.Close()
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	}()
	jstest.Run(t, filepath.Join("testdata", "room.mjs"), web.URL, jstest.Dir(t), script)
	for event, n := range seen {
		if n.Load() <= 3 {
			t.Errorf("the %s that was not answered was not sent again", event)
		}
	}
}
