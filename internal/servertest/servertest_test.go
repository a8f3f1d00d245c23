package servertest_test

import (
	"context"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/internal/servertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A stub is a server that counts how often it is shut down.
type stub struct {
	http.Handler

	ends int
}

func (s *stub) Shutdown(context.Context) error { s.ends++; return nil }

func TestServe(t *testing.T) {
	s := &stub{Handler: http.NotFoundHandler()}
	var addr string
	get := func() (int, error) {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Get("http://" + addr)
		if err != nil {
			return 0, err
		}
		return response.StatusCode, response.Body.Close()
	}
	t.Run("while it lasts", func(t *testing.T) {
		addr = servertest.Serve(t, servertest.Listen(t), s)
		if code, err := get(); code != http.StatusNotFound || s.ends != 0 {
			t.Errorf("%d, %v, %d ends", code, err, s.ends)
		}
	})
	if _, err := get(); err == nil || s.ends != 1 {
		t.Errorf("after its test: %v, %d ends", err, s.ends)
	}
}

func TestLogCounts(t *testing.T) {
	var log servertest.Log
	for _, line := range []string{"up\n", "up, down\n", "up and down\n", "cut of"} {
		if _, err := log.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	for want, texts := range [][]string{{"away"}, {"cut"}, {"down", "up"}, {"up"}} {
		if got := log.Count(texts...); got != want {
			t.Errorf("%d lines with %q, want %d:\n%s", got, texts, want, &log)
		}
	}
}
