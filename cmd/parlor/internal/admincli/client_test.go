package admincli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// asks makes a client of a server that answers as f does.
func asks(t *testing.T, opts Options, f http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return clientOf(t, opts, server.URL)
}

func clientOf(t *testing.T, opts Options, address string) *Client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	opts.URL = u
	if opts.Timeout == 0 {
		opts.Timeout = 30 * time.Second
	}
	c := NewClient(opts)
	t.Cleanup(c.Close)
	return c
}

// answers is a server that gives one answer.
func answers(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// What has gone wrong is one line that says what to do about it, and holds nothing
// that a terminal would obey.
func TestErrors(t *testing.T) {
	said := `{"error":{"code":"bad_request","message":"this \u001b[2J is wrong","field":"/target"}}`
	refused := `{"error":{"code":"x","message":"no"}}`
	password := Options{User: "ops", Password: "hunter2"}
	for name, test := range map[string]struct {
		opts   Options
		answer http.HandlerFunc
		want   string
	}{
		"another server":     {password, answers(404, "404 page not found\n"), "has no admin API (404 Not Found); start the server with --admin-ui or --admin-api"},
		"nobody":             {Options{}, answers(401, refused), "wants to know who you are; give --user (PARLOR_ADMIN_USER), or --token-file"},
		"a wrong password":   {password, answers(401, refused), "refuses the credentials; is it the right user and password"},
		"too many attempts":  {password, answers(429, refused, "Retry-After", "10"), "no (try again after 10 s)"},
		"what it says":       {password, answers(400, said), "/target: this \ufffd[2J is wrong"},
		"forbidden":          {password, answers(403, refused), "no"},
		"elsewhere":          {password, answers(301, "", "Location", "https://chat.example.com/"), "sends us to https://chat.example.com/"},
		"a page":             {password, answers(200, "<html>"), "has not answered as a Parlor server does"},
		"cut off":            {password, answers(200, "", "Content-Length", "10"), "cannot reach"},
		"no answer":          {Options{Timeout: time.Millisecond}, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "has not answered within 1ms; --timeout (PARLOR_ADMIN_TIMEOUT)"},
		"no HTTP at all":     {password, func(w http.ResponseWriter, _ *http.Request) { hijack(t, w, "SSH-2.0\r\n") }, "cannot reach"},
		"the connection end": {password, func(w http.ResponseWriter, _ *http.Request) { hijack(t, w, "") }, "cannot reach"},
	} {
		t.Run(name, func(t *testing.T) {
			c := asks(t, test.opts, test.answer)
			err := c.Stats(t.Context(), Output{Out: io.Discard, Remarks: io.Discard})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.ContainsAny(err.Error(), "\n\x1b") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, not %s", err, test.want)
			}
		})
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	if err := clientOf(t, Options{}, closed.URL).Stats(t.Context(), Output{}); err == nil || !strings.Contains(err.Error(), "nothing listens there; --url (PARLOR_ADMIN_URL)") {
		t.Errorf("%v", err)
	}
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	if err := clientOf(t, Options{}, closed.URL).Stats(interrupted, Output{}); err == nil || err.Error() != "interrupted" {
		t.Errorf("%v", err)
	}
}

func hijack(t *testing.T, w http.ResponseWriter, text string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.WriteString(conn, text)
	_ = conn.Close()
}

// The server's certificate has to be signed by somebody who is trusted.
func TestCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(answers(200, `{"servers":[],"missing":0}`))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail
	server.StartTLS()
	defer server.Close()
	stats := func(opts Options) error {
		return clientOf(t, opts, server.URL).Stats(t.Context(), Output{Out: io.Discard, Remarks: io.Discard})
	}
	if err := stats(Options{}); err == nil || !strings.Contains(err.Error(), "--ca-file (PARLOR_ADMIN_CA_FILE)") {
		t.Errorf("unknown: %v", err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	if err := stats(Options{Roots: roots}); err != nil {
		t.Errorf("known: %v", err)
	}
	if err := stats(Options{Roots: x509.NewCertPool()}); err == nil {
		t.Error("another root will do")
	}
}

// What is asked for is what the API is sent, with the credentials.
func TestRequests(t *testing.T) {
	type request struct{ method, path, authorization, contentType, body string }
	var got request
	serve := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = request{r.Method, r.URL.String(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), string(body)}
		_, _ = io.WriteString(w, `{"sockets":0,"missing":0}`)
	}
	discard := Output{Out: io.Discard, Remarks: io.Discard}
	c := asks(t, Options{User: "ops", Password: "p:w"}, serve)
	err := c.Kick(t.Context(), adminapi.Disconnect{Target: adminapi.Target{User: "<a>"}}, discard)
	if want := (request{"POST", "/admin/api/v1/disconnect", "Basic b3BzOnA6dw==", "application/json", `{"target":{"user":"<a>"}}` + "\n"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	c = asks(t, Options{Token: "a.b.c"}, serve)
	c.opts.URL = c.opts.URL.JoinPath("base/")
	body := adminapi.Emit{Namespace: "/", Event: "x", Args: []json.RawMessage{json.RawMessage(`12345678901234567890`)}}
	err = c.Broadcast(t.Context(), body, discard)
	if want := (request{"POST", "/base/admin/api/v1/emit", "Bearer a.b.c", "application/json", `{"namespace":"/","target":{},"event":"x","args":[12345678901234567890]}` + "\n"}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for address, want := range map[string]bool{
		"http://localhost:3000": false, "http://127.0.0.1": false, "http://[::1]:1": false, "https://a.example": false,
		"http://a.example": true, "http://10.0.0.1": true,
	} {
		if got := clientOf(t, Options{Token: "a"}, address).Exposed(); got != want {
			t.Errorf("%s: exposed: %v", address, got)
		}
	}
	if clientOf(t, Options{}, "http://a.example").Exposed() {
		t.Error("nothing is exposed")
	}
}

// rows answers with so many sockets, in pages of at most 1000.
func rows(total int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var from, limit int
		_, _ = fmt.Sscan(r.URL.Query().Get("cursor"), &from)
		_, _ = fmt.Sscan(r.URL.Query().Get("limit"), &limit)
		page := adminapi.Sockets{Total: total}
		for i := from; i < min(total, from+min(limit, 1000)); i++ {
			page.Sockets = append(page.Sockets, adminapi.Socket{ID: fmt.Sprintf("s%d", i), Connected: time.Now()})
		}
		if end := from + len(page.Sockets); end < total {
			page.Next = fmt.Sprint(end)
		}
		if from > 0 {
			page.Missing = 1
		}
		_ = json.NewEncoder(w).Encode(page)
	}
}

// A list is as long as it is wanted, whatever the pages are.
func TestPages(t *testing.T) {
	c := asks(t, Options{}, rows(2500))
	for _, test := range []struct {
		Listing
		rows   int
		remark string
		all    bool // of the servers have answered
	}{
		{Listing{Limit: 100}, 100, "100 of 2500 sockets; --limit or --all shows more\n", true},
		{Listing{Limit: 1500}, 1500, "1500 of 2500 sockets; --limit or --all shows more\n", false},
		{Listing{Limit: 1, All: true}, 2500, "2500 sockets\n", false},
	} {
		var out, remarks bytes.Buffer
		err := c.Sockets(t.Context(), url.Values{}, test.Listing, Output{Out: &out, Remarks: &remarks})
		if n := strings.Count(out.String(), "\n") - 1; n != test.rows || remarks.String() != test.remark || (err == nil) != test.all || err != nil && !errors.Is(err, ErrPartial) {
			t.Errorf("%+v: %d rows, %s, %v", test.Listing, n, &remarks, err)
		}
	}
}

// What users have chosen is not the terminal's to obey, but a program gets it as
// it is.
func TestPrintable(t *testing.T) {
	c := asks(t, Options{}, answers(200, `{"sockets":[{"id":"x","namespace":"/","name":"\u001b[1A\nroot","rooms":["\u0000user/1","a"],"address":"::1"}],"total":1,"missing":0}`))
	var out bytes.Buffer
	if err := c.Sockets(t.Context(), url.Values{}, Listing{Limit: 1}, Output{Out: &out, Remarks: io.Discard}); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Count(text, "\n") != 2 || strings.Contains(text, "\x1b") || !strings.Contains(text, "\ufffd[1A\ufffdroot") || !strings.Contains(text, "\ufffduser/1, a") {
		t.Errorf("%q", text)
	}
	out.Reset()
	if err := c.Sockets(t.Context(), url.Values{}, Listing{Limit: 1}, Output{Out: &out, Remarks: io.Discard, JSON: true}); err != nil {
		t.Fatal(err)
	}
	var page adminapi.Sockets
	if err := json.Unmarshal(out.Bytes(), &page); err != nil || page.Sockets[0].Name != "\x1b[1A\nroot" {
		t.Errorf("%v\n%s", err, &out)
	}
}

func TestUnits(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1234: "1.2 kB", 9_949: "9.9 kB", 9_950: "10 kB", 999_499: "999 kB", 999_500: "1.0 MB", 12_345_678_901: "12 GB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for text, want := range map[string]string{"-5s": "0s", "900ms": "0s", "59s": "59s", "61s": "1m1s", "3700s": "1h1m", "49h": "2d1h"} {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := span(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
}
