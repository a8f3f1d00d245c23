package chat_test

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// listen serves a chat on "/" and on "/chat" to the real client.
func listen(t *testing.T) (url string) {
	t.Helper()
	io := server.New()
	for _, name := range []string{"/", "/chat"} {
		chat.Mount(io.Of(name), chat.Options{Identity: byName})
	}
	web := httptest.NewServer(io)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		web.Close()
	})
	return web.URL
}

// TestContractWithRealClient walks over the rows of the contract with
// socket.io-client.
func TestContractWithRealClient(t *testing.T) {
	for _, transport := range []string{"websocket", "polling"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			lines := jstest.Run(t, "testdata/contract.mjs", jstest.Dir(t), listen(t), transport)
			if len(lines) != 14 {
				t.Errorf("%d rows: %s", len(lines), lines)
			}
		})
	}
}

// TestTutorial runs client code in the usual style of web tutorials, unchanged.
func TestTutorial(t *testing.T) {
	lines := jstest.Run(t, "testdata/tutorial.mjs", jstest.Dir(t), listen(t))
	var last struct{ Done bool }
	if len(lines) != 1 || json.Unmarshal(lines[0], &last) != nil || !last.Done {
		t.Errorf("got %s", lines)
	}
}
