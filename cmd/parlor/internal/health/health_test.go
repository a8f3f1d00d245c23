package health

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestReady(t *testing.T) {
	count, most, up := int64(0), int64(0), true
	check := func(needed bool) *Health {
		return New(Redis(func() bool { return up }, needed), Below("connections", func() int64 { return most }, func() int64 { return count }))
	}
	for _, test := range []struct {
		count      int64
		unlimited  bool
		up, needed bool
		drain      bool
		want       string
		ready      bool
	}{
		{up: true, want: "ready", ready: true},
		{count: 1, up: true, want: "ready", ready: true},
		{count: 2, up: true, want: "overloaded: connections"},
		{count: 2, unlimited: true, up: true, want: "ready", ready: true},
		{want: "degraded: redis", ready: true},
		{count: 2, want: "overloaded: connections"}, // which is worse
		{needed: true, want: "degraded: redis"},
		{up: true, drain: true, want: "draining"},
		{count: 2, needed: true, drain: true, want: "draining"},
	} {
		if count, most, up = test.count, 2, test.up; test.unlimited {
			most = 0
		}
		h := check(test.needed)
		if test.drain {
			h.Drain()
		}
		if got, ready := h.Ready(); got != test.want || ready != test.ready {
			t.Errorf("%+v: %q, %t", test, got, ready)
		}
	}
}

func TestMethods(t *testing.T) {
	h := New()
	h.Drain()
	for _, test := range []struct {
		method string
		serve  http.HandlerFunc
		status int
		body   string
	}{
		{http.MethodGet, h.ServeLive, 200, "ok\n"},
		{http.MethodHead, h.ServeLive, 200, ""},
		{http.MethodGet, h.ServeReady, 503, "draining\n"},
		{http.MethodHead, h.ServeReady, 503, ""},
		{http.MethodPost, h.ServeReady, 405, "Method Not Allowed\n"},
	} {
		w := httptest.NewRecorder()
		test.serve(w, httptest.NewRequest(test.method, "/", nil))
		if w.Code != test.status || w.Body.String() != test.body || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%+v: %d %q", test, w.Code, w.Body)
		}
	}
}
