package docs_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

type wrapped struct{ http.ResponseWriter }

type unwrapped struct{ http.ResponseWriter }

func (w unwrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// What namespaces.md says of routes and of middleware around a server.
func TestRoutes(t *testing.T) {
	for name, test := range map[string]struct {
		path   string
		around func(io *server.Server) http.Handler
		want   int
	}{
		"mux": {"/socket.io/", func(io *server.Server) http.Handler {
			mux := http.NewServeMux()
			mux.Handle(io.Path(), io)
			return mux
		}, http.StatusSwitchingProtocols},
		"prefix": {"/api/socket.io/", func(io *server.Server) http.Handler {
			return http.StripPrefix("/api", io)
		}, http.StatusSwitchingProtocols},
		"Unwrap": {"/socket.io/", func(io *server.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.ServeHTTP(unwrapped{w}, r) })
		}, http.StatusSwitchingProtocols},
		"no Unwrap": {"/socket.io/", func(io *server.Server) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.ServeHTTP(wrapped{w}, r) })
		}, http.StatusInternalServerError},
		"TimeoutHandler": {"/socket.io/", func(io *server.Server) http.Handler {
			return http.TimeoutHandler(io, time.Minute, "")
		}, http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			var logs bytes.Buffer
			io := server.New(server.WithLogger(slog.New(slog.NewTextHandler(&logs, nil))))
			web := httptest.NewServer(test.around(io))
			defer web.Close()
			defer func() {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				if err := io.Shutdown(ctx); err != nil {
					t.Error(err)
				}
			}()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+test.path+"?EIO=4&transport=websocket", nil)
			if err != nil {
				t.Fatal(err)
			}
			for key, value := range map[string]string{
				"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
			} {
				req.Header.Set(key, value)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != test.want {
				t.Errorf("status %d, want %d", resp.StatusCode, test.want)
			}
			if told := strings.Contains(logs.String(), "hides http.Hijacker"); told != (test.want == http.StatusInternalServerError) {
				t.Errorf("the log says what to do: %v\n%s", told, &logs)
			}
		})
	}
}
