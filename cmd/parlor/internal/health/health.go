// Package health says whether the process lives, and whether clients are to be sent
// to it.
package health

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
)

// Health is what a load balancer or an orchestrator asks for. Its methods may be
// called concurrently.
type Health struct {
	checks   []Check
	draining atomic.Bool
}

// A Check looks at one thing, at each request, and does not wait. What it finds is empty when all is well, else a word
// or two, "degraded: redis"; ready says whether clients are to be sent here
// nevertheless.
type Check func() (finding string, ready bool)

// New returns a Health that is ready as long as its checks are.
func New(checks ...Check) *Health { return &Health{checks: checks} }

// Drain has it say from now on that no clients are to be sent here.
func (h *Health) Drain() { h.draining.Store(true) }

// Ready says whether clients are to be sent here, and what there is to know.
func (h *Health) Ready() (finding string, ready bool) {
	if h.draining.Load() {
		return "draining", false
	}
	finding = "ready"
	for _, check := range h.checks {
		switch found, ready := check(); {
		case !ready:
			return found, false
		case found != "":
			finding = found
		}
	}
	return finding, true
}

// ServeLive answers as long as the process does: one that does not is to be started
// again. Whether Redis is there, say, is nothing that a restart would mend.
func (*Health) ServeLive(w http.ResponseWriter, r *http.Request) {
	answer(w, r, http.StatusOK, "ok")
}

// ServeReady answers 200 when clients are to be sent here, else 503, and in either
// case in a word why.
func (h *Health) ServeReady(w http.ResponseWriter, r *http.Request) {
	finding, ready := h.Ready()
	if !ready {
		answer(w, r, http.StatusServiceUnavailable, finding)
		return
	}
	answer(w, r, http.StatusOK, finding)
}

func answer(w http.ResponseWriter, r *http.Request, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_, _ = io.WriteString(w, text+"\n") // who does not take it has gone
	}
}

// Redis is a check of the way to other instances. Without it this instance serves
// its own clients, so it is ready, unless needed says otherwise: if all are unready
// at once, nobody is served at all.
func Redis(up func() bool, needed bool) Check {
	return func() (string, bool) {
		if up() {
			return "", true
		}
		return "degraded: redis", !needed
	}
}

// Below is a check that there are fewer than limit of something; 0 for no limit.
func Below(what string, limit, count func() int64) Check {
	return func() (string, bool) {
		if most := limit(); most <= 0 || count() < most {
			return "", true
		}
		return fmt.Sprintf("overloaded: %s", what), false
	}
}
