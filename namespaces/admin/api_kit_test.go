package admin_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// apiUser logs in with the password.
const apiUser = "admin"

// An office is a server with the API, and with what its sockets say of themselves
// as their data.
type office struct {
	t     testing.TB
	url   string
	io    *server.Server
	admin *admin.Admin
	log   *servertest.Log
}

func openOffice(t testing.TB, opts admin.Options, options ...server.Option) *office {
	t.Helper()
	o := &office{t: t, io: server.New(options...), log: &servertest.Log{}}
	opts.Logger = slog.New(slog.NewTextHandler(o.log, nil))
	for _, name := range []string{"/", "/chat"} {
		ns := o.io.Of(name)
		ns.OnConnect(func(_ context.Context, s *server.Socket) error {
			var said struct {
				Data  server.Arg
				Rooms []string
			}
			if err := s.Handshake().Auth.Decode(&said); err != nil {
				return err
			}
			if said.Data.Kind() != packet.Null {
				s.SetData(said.Data.Clone())
			}
			return s.Join(said.Rooms...)
		})
		ns.On("ready", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
	}
	a, err := admin.Mount(o.io, opts)
	if err != nil {
		t.Fatal(err)
	}
	o.admin = a
	api := http.StripPrefix("/admin/api", a.API())
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/admin/api/") { // a ServeMux would redirect some
			api.ServeHTTP(w, r)
			return
		}
		o.io.ServeHTTP(w, r)
	}))
	o.url = h.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if err := o.io.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
		h.Close()
	})
	return o
}

// said counts a text in the log.
func (o *office) said(text string) int { return strings.Count(o.log.String(), text) }

// A call is a request to the API.
type call struct {
	method, path, body string
	header             map[string]string // "" leaves one out
}

// send sends a call, with good credentials unless it has others.
func (o *office) send(c call) (*http.Response, []byte) {
	o.t.Helper()
	method := c.method
	if method == "" {
		method = http.MethodGet
		if c.body != "" {
			method = http.MethodPost
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, o.url+"/admin/api/"+c.path, strings.NewReader(c.body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.SetBasicAuth(apiUser, password)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
		if value == "" {
			r.Header.Del(name)
		}
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return response, body
}

// ask sends a call that has to succeed.
func ask[T any](o *office, c call) (v T) {
	o.t.Helper()
	response, body := o.send(c)
	if response.StatusCode != http.StatusOK {
		o.t.Errorf("%s %s: %s\n%s", c.path, c.body, response.Status, body)
		return v
	}
	if err := json.Unmarshal(body, &v); err != nil {
		o.t.Errorf("%s: %v\n%s", c.path, err, body)
	}
	return v
}

// refused sends a call that has to fail.
func (o *office) refused(c call, status int) (adminapi.Error, http.Header) {
	o.t.Helper()
	response, body := o.send(c)
	var f adminapi.Failure
	if err := json.Unmarshal(body, &f); err != nil && c.method != http.MethodHead {
		o.t.Errorf("%s %s: %s\n%s", c.path, c.body, response.Status, body)
	}
	if response.StatusCode != status || f.Error.Code == "" || f.Error.Message == "" {
		o.t.Errorf("%s %s %s: %s, not %d\n%s", c.method, c.path, c.body, response.Status, status, body)
	}
	return f.Error, response.Header
}
