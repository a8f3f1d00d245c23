package admin_test

import (
	"bufio"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
	"github.com/seed3686fee0/parlor/server"
)

const badLogin = "Basic YWRtaW46d3Jvbmc="

// Who guesses has to wait, and so does who comes from the same address with the
// right password.
func TestAPITooManyAttempts(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)})
	// A header that anybody can send makes nobody another.
	guess := func(from string) call {
		return call{path: "v1/stats", header: map[string]string{"Authorization": badLogin, "X-Forwarded-For": from}}
	}
	for i := range 10 {
		o.refused(guess("192.0.2."+string(rune('0'+i))), http.StatusUnauthorized)
	}
	for _, c := range []call{guess("192.0.2.99"), {path: "v1/stats"}} {
		e, header := o.refused(c, http.StatusTooManyRequests)
		if e.Code != "too_many_attempts" || header.Get("Retry-After") != "10" {
			t.Errorf("%+v, Retry-After: %s", e, header.Get("Retry-After"))
		}
	}
	// What a trusted proxy says of its clients tells them apart.
	o = openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)}, server.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8")))
	for range 10 {
		o.refused(guess("192.0.2.1"), http.StatusUnauthorized)
	}
	o.refused(guess("192.0.2.1"), http.StatusTooManyRequests)
	o.refused(guess("192.0.2.2"), http.StatusUnauthorized)
	ask[adminapi.Stats](o, call{path: "v1/stats", header: map[string]string{"X-Forwarded-For": "192.0.2.3"}})
}

// A body that does not come is not waited for.
func TestAPISlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := wire.ListenPipe()
		io := server.New()
		a, err := admin.Mount(io, admin.Options{Auth: admin.Insecure()})
		if err != nil {
			t.Fatal(err)
		}
		h := &http.Server{Handler: a.API()}
		go func() { _ = h.Serve(l) }() // ends by Close
		defer func() {
			_ = h.Close()
			if err := a.Close(); err != nil {
				t.Error(err)
			}
			if err := io.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		status, after := slowly(t, l.Addr().String())
		if status != http.StatusRequestTimeout || after != 10*time.Second {
			t.Errorf("%d after %v", status, after)
		}
	})
}

// slowly sends the beginning of a command, and returns what the answer is, and when
// it has come.
func slowly(t *testing.T, addr string) (status int, after time.Duration) {
	t.Helper()
	conn, err := wire.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	begun := time.Now()
	const head = "POST /v1/disconnect HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
	if err := conn.Send(head); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, time.Since(begun)
}

// When the namespace ends the API does, and what an application's function does
// wrong is the server's error, and logged.
func TestAPIUnavailable(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash), Authorize: func(admin.Principal, admin.Command) error { panic("a mistake") }})
	if e, _ := o.refused(call{path: "v1/disconnect", body: everyone}, http.StatusInternalServerError); e.Code != "internal" || strings.Contains(e.Message, "mistake") {
		t.Errorf("%+v", e)
	}
	if o.said("a mistake") == 0 {
		t.Errorf("the log lacks it:\n%s", o.log)
	}
	if err := o.admin.Close(); err != nil {
		t.Fatal(err)
	}
	if e, header := o.refused(call{path: "v1/stats"}, http.StatusServiceUnavailable); e.Code != "unavailable" || header.Get("Retry-After") == "" {
		t.Errorf("%+v, %v", e, header)
	}
}
