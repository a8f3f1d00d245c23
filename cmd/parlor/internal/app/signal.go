package app

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// withSignals returns a context that SIGINT and SIGTERM cancel, the signal being
// its cause. A second signal calls exit with code 1 at once: whoever sends it
// does not want to wait for the first. stop ends the watching and waits for it.
func withSignals(parent context.Context, exit func(code int)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2) // never closed
	done := make(chan struct{})        // closed by stop
	ended := make(chan struct{})       // closed by the goroutine
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer close(ended)
		select {
		case s := <-signals:
			cancel(fmt.Errorf("signal: %v", s))
		case <-done:
			return
		}
		select {
		case <-signals:
			exit(exitFailed)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		<-ended
		cancel(nil)
	}
}
