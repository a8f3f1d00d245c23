package jstest

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// grace is how long a process may take to end by itself after its stdin was closed, before it is killed.
const grace = 5 * time.Second

// process is a Node process with its stdin held open: the scripts end when it is closed, so that none is left
// behind when a test binary dies.
type process struct {
	// Static after start.
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	stderr *tail
	exited chan struct{} // closed by wait

	waitOnce sync.Once
	waitErr  error // set before exited is closed
}

func startProcess(t testing.TB, script string, args ...string) *process {
	t.Helper()
	tc := findNode(t)
	p := &process{stderr: &tail{}, exited: make(chan struct{})}
	p.cmd = exec.Command(tc.node, append([]string{script}, args...)...)
	p.cmd.Dir = tc.dir
	p.cmd.Stderr = p.stderr
	ownGroup(p.cmd)
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatalf("start %s: %v", script, err)
	}
	if p.stdout, err = p.cmd.StdoutPipe(); err != nil {
		t.Fatalf("start %s: %v", script, err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", script, err)
	}
	return p
}

// wait returns the process's exit. It is called once stdout has been read to its end, as os/exec asks.
func (p *process) wait() error {
	p.waitOnce.Do(func() {
		p.waitErr = p.cmd.Wait()
		close(p.exited)
	})
	<-p.exited
	return p.waitErr
}

// stop closes stdin, waits for the process to end by itself and kills it, and its group, when it does not.
// Somebody else reads stdout to its end and calls wait.
func (p *process) stop() error {
	p.stdin.Close()
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-p.exited:
		return nil
	case <-timer.C:
	}
	p.kill()
	<-p.exited
	return fmt.Errorf("the process did not end within %v of its stdin being closed and was killed", grace)
}

func (p *process) kill() {
	if err := killGroup(p.cmd.Process); err != nil && !errors.Is(err, errDone) {
		p.cmd.Process.Kill()
	}
}

// tail keeps the end of what a process wrote to stderr, for the failure's message.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (w *tail) Write(p []byte) (int, error) {
	const keep = 8 << 10
	w.mu.Lock()
	defer w.mu.Unlock()
	w.data = append(w.data, p...)
	if over := len(w.data) - keep; over > 0 {
		w.data = append(w.data[:0], w.data[over:]...)
	}
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.data)
}
