package app

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
)

// Whoever is asked for a password at a pipe that says nothing can interrupt it too:
// with a context of signals, they end nothing by themselves.
func TestPasswordInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stdin, typing := io.Pipe()
		defer typing.Close()
		ctx, interrupt := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := readPassword(ctx, stdin, io.Discard)
			ended <- err
		}()
		synctest.Wait() // it reads
		interrupt()
		if err := <-ended; !errors.Is(err, errInterrupted) {
			t.Errorf("%v", err)
		}
	})
}
