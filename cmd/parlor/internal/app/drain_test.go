package app

import (
	"net/http"
	"syscall"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// H01, H02: with a window the clients go one by one. Those whose turn has not come
// are served, new ones are not let in while the port stays open, and the end does
// not wait for the window when nobody is left.
func TestH01DrainWindow(t *testing.T) {
	t.Parallel()
	cmd, log, _, addr := serving(t, "--drain-window=60s")
	clients := make(map[*wire.WS]chan error)
	gone := make(chan *wire.WS, 3)
	for range 3 {
		w, err := wire.OpenWS(addr, wire.Handshake{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() })
		if _, err := wire.Join(w, "/"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		clients[w] = ended
		go func() {
			_, _, err := wire.WaitClosed(w)
			gone <- w
			ended <- err
		}()
	}
	send(t, cmd, syscall.SIGTERM)
	waitFor(t, log, "moving clients away")
	first := <-gone // its turn comes at once, the others' after 20 and 40 seconds
	if err := <-clients[first]; err != nil {
		t.Errorf("the first client was not told to go: %v", err)
	}
	_ = first.Close()
	delete(clients, first)
	if res, _ := get(t, "http://"+addr+"/socket.io/?EIO=4&transport=polling"); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new client gets %d", res.StatusCode)
	}
	for w, ended := range clients {
		if len(ended) > 0 {
			t.Error("another client has had to go as well")
		}
		if err := w.Send("1"); err != nil { // it goes by itself
			t.Error(err)
		}
	}
	waitFor(t, log, "stopped")
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
