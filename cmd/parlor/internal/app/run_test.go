package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/logging"
)

// parse returns the configuration that args make.
func parse(t *testing.T, args ...string) *config.Config {
	t.Helper()
	command, err := config.Parse(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	cfg, ok := command.(*config.Config)
	if !ok {
		t.Fatalf("%q is no command line of serve", args)
	}
	return cfg
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestRun(t *testing.T) {
	var out bytes.Buffer
	log := logging.New(&out, "info", "text")
	ctx, cancel := context.WithCancelCause(t.Context())
	ready := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	cfg := parse(t, "--addr=127.0.0.1:0", "--path=/ws/")
	go func() { ended <- Run(ctx, cfg, log.Logger, func(addr net.Addr) { ready <- addr }) }()

	base := "http://" + (<-ready).String()
	if response, body := get(t, base+"/"); response.StatusCode != http.StatusOK || !strings.Contains(body, "/ws/") {
		t.Errorf("/: %s\n%s", response.Status, body)
	}
	if response, _ := get(t, base+"/socket.io/"); response.StatusCode != http.StatusNotFound {
		t.Errorf("/socket.io/ while the path is another: %s", response.Status)
	}
	cancel(errors.New("the test ends"))
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	log.Close(10 * time.Second)
	for _, want := range []string{
		"msg=serving", "path=/ws/", `namespaces="/ /chat"`, `transports="polling websocket"`, "parser=default", "version=",
		"msg=limits", "max_payload=1000000", "chat_rate=10", "ping_interval=25s",
		"level=warning", "any web page", "anonymous users", "not encrypted",
		`cause="the test ends"`, "msg=stopped",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, out.String())
		}
	}
}

func TestRunCannotServe(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"address in use": {[]string{"--addr=" + taken.Addr().String()}, "the address is in use; stop what uses it, or choose another with --addr (PARLOR_ADDR)"},
		"no such host":   {[]string{"--addr=192.0.2.1:1"}, "cannot listen on 192.0.2.1:1: "},
		"no certificate": {[]string{"--tls-cert=none.pem", "--tls-key=none.pem"}, "cannot use the certificate and key of --tls-cert (PARLOR_TLS_CERT)"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), parse(t, test.args...), slog.New(slog.DiscardHandler), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

// fakeServer stands in for the library's server: polls wait until Shutdown.
type fakeServer struct {
	asked  chan struct{} // one value a request
	closed chan struct{} // closed by Shutdown
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	f.asked <- struct{}{}
	<-f.closed
	_, _ = io.WriteString(w, "1")
}

func (f *fakeServer) Shutdown(context.Context) error {
	close(f.closed)
	return nil
}

// slowServer is one whose Shutdown returns when its channel is closed or, unless
// it is deaf, when ctx is done.
type slowServer struct {
	fakeServer
	release chan struct{}
	deaf    bool
}

func (s *slowServer) Shutdown(ctx context.Context) error {
	done := ctx.Done()
	if s.deaf {
		done = nil
	}
	select {
	case <-s.release:
		return nil
	case <-done:
		return context.Cause(ctx)
	}
}

// noListener is a listener that is only closed.
type noListener struct{ net.Listener }

func (noListener) Close() error { return nil }

// H01: the process ends within 30 seconds, whatever its clients do.
func TestH01ShutdownIsBounded(t *testing.T) {
	for name, test := range map[string]struct {
		deaf  bool
		fails bool
	}{
		"clients that do not read":      {deaf: false, fails: false},
		"a server that does not return": {deaf: true, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				io := &slowServer{release: make(chan struct{}), deaf: test.deaf}
				log := slog.New(slog.DiscardHandler)
				begun := time.Now()
				err := shutdown(t.Context(), newHTTPServer(io, log), noListener{}, io, log)
				if (err != nil) != test.fails {
					t.Errorf("shutdown: %v", err)
				}
				if took := time.Since(begun) + logFlush; took < drainTimeout || took >= 30*time.Second {
					t.Errorf("took %v", took)
				}
				close(io.release)
			})
		})
	}
}

// A poll that is open when the end comes is answered, new connections are
// refused meanwhile, and a connection that says nothing does not hold it up.
func TestServeDrains(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	io := &fakeServer{asked: make(chan struct{}, 1), closed: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, newHTTPServer(io, slog.New(slog.DiscardHandler)), listener, io, slog.New(slog.DiscardHandler))
	}()
	silent := dial(t, listener.Addr().String())
	_, _ = silent.Write([]byte("GET / HT"))

	polled := make(chan string, 1)
	go func() {
		_, body := get(t, "http://"+listener.Addr().String()+"/")
		polled <- body
	}()
	<-io.asked
	begun := time.Now()
	cancel()
	if body := <-polled; body != "1" {
		t.Errorf("the poll got %q", body)
	}
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
	if took := time.Since(begun); took > lingerTimeout+3*time.Second {
		t.Errorf("took %v", took)
	}
	if conn, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("it still accepts connections")
	}
}

func TestServeSaysWhyItCannotAccept(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	io := &fakeServer{closed: make(chan struct{})}
	log := slog.New(slog.DiscardHandler)
	if err := serve(t.Context(), newHTTPServer(io, log), listener, io, log); !errors.Is(err, net.ErrClosed) {
		t.Errorf("serve: %v", err)
	}
	select {
	case <-io.closed:
	default:
		t.Error("the clients were not told")
	}
}

func TestWarnings(t *testing.T) {
	tests := map[string]struct {
		args []string
		want []string // a part of each
	}{
		"defaults":          {nil, []string{"origins are not checked", "anonymous", "not encrypted"}},
		"origins":           {[]string{"--cors-origin=https://a.example"}, []string{"anonymous", "not encrypted"}},
		"any origin":        {[]string{"--cors-origin=*"}, []string{"is *", "anonymous", "not encrypted"}},
		"TLS":               {[]string{"--tls-cert=a", "--tls-key=b"}, []string{"origins", "anonymous"}},
		"all are proxies":   {[]string{"--trusted-proxy=0.0.0.0/0"}, []string{"origins", "anonymous", "not encrypted", "forge"}},
		"parser":            {[]string{"--parser=msgpack"}, []string{"origins", "anonymous", "not encrypted", "page cannot connect"}},
		"no rate":           {[]string{"--chat-rate=0"}, []string{"origins", "anonymous", "not encrypted", "--chat-rate"}},
		"unreachable limit": {[]string{"--max-payload=1000"}, []string{"origins", "anonymous", "not encrypted", "--chat-message-max", "--chat-file-max"}},
	}
	for name, test := range tests {
		got := warnings(parse(t, test.args...))
		if len(got) != len(test.want) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%s: %q lacks %q", name, got[i], want)
			}
		}
	}
}

func TestPageURL(t *testing.T) {
	tests := map[string]string{"0.0.0.0:3000": "http://localhost:3000/", "[::]:80": "http://localhost:80/", "127.0.0.1:1": "http://127.0.0.1:1/", "[::1]:2": "http://[::1]:2/"}
	for address, want := range tests {
		addr, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if got := pageURL(&config.Config{}, addr, true); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}
