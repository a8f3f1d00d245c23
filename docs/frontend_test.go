package docs_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// The room of frontend.md loses nothing and doubles nothing when a connection breaks.
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
}
