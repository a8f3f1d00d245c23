package jstest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// Driver is one Node process that hosts clients. Its methods, and those of its clients, are for the goroutine
// of the test that started it: they end that test when something fails.
type Driver struct {
	// Static after Start.
	t       testing.TB
	process *process
	ended   chan struct{} // closed by read when stdout is at its end and the process is gone

	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every line that arrives
	nextID  int
	answers map[int]answer
	clients []*Client

	// Owned by the test's goroutine.
	paused, killed bool
}

type answer struct {
	OK  json.RawMessage
	Err *string
}

// line is what the process writes: an answer, or a record of what happened to a client.
type line struct {
	Re  int             `json:"re"`
	OK  json.RawMessage `json:"ok"`
	Err *string         `json:"err"`

	C int `json:"c"`
	record
}

// record is one thing that happened to a client.
type record struct {
	Kind string `json:"k"` // connect, disconnect, connect_error, event, manager, in, out
	Name string `json:"name"`
	Args []any  `json:"args"`
	Ack  int    `json:"ack"`
}

func (r record) String() string {
	if len(r.Args) == 0 {
		return fmt.Sprintf("%s %q", r.Kind, r.Name)
	}
	return fmt.Sprintf("%s %q %s", r.Kind, r.Name, JSON(r.Args))
}

// Start starts a driver that lives until the test ends.
func Start(t testing.TB) *Driver {
	t.Helper()
	d := &Driver{
		t:       t,
		ended:   make(chan struct{}),
		changed: make(chan struct{}),
		answers: make(map[int]answer),
	}
	d.process = startProcess(t, filepath.Join(findNode(t).dir, "driver.mjs"))
	go d.read()
	t.Cleanup(func() {
		d.Resume()
		if err := d.process.stop(); err != nil {
			t.Errorf("driver: %v", err)
		}
		<-d.ended
		if err := d.process.wait(); err != nil && !d.killed {
			t.Errorf("driver: %v\n%s", err, d.process.stderr)
		}
	})
	return d
}

// read is the driver's one goroutine: it files what arrives and wakes whoever waits.
func (d *Driver) read() {
	defer close(d.ended)
	r := bufio.NewReaderSize(d.process.stdout, 64<<10)
	for {
		data, err := r.ReadBytes('\n')
		if len(data) > 0 {
			d.file(data)
		}
		if err != nil {
			break
		}
	}
	io.Copy(io.Discard, d.process.stdout)
	d.process.wait()
	d.wake(func() {})
}

func (d *Driver) file(data []byte) {
	var l line
	if err := json.Unmarshal(data, &l); err != nil {
		fmt.Fprintf(d.process.stderr, "a line that is not JSON: %s", data)
		return
	}
	d.wake(func() {
		if l.Re != 0 {
			d.answers[l.Re] = answer{l.OK, l.Err}
			return
		}
		for i, a := range l.Args {
			l.Args[i] = unwrap(a)
		}
		c := d.clients[l.C-1]
		c.records = append(c.records, l.record)
	})
}

// wake changes the driver's state under its lock and wakes all waiters.
func (d *Driver) wake(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	close(d.changed)
	d.changed = make(chan struct{})
}

// await waits until done returns true; done is called with d.mu held. It reports false at the deadline and
// when the process has ended.
func (d *Driver) await(done func() bool) bool {
	timer := time.NewTimer(Deadline)
	defer timer.Stop()
	for {
		d.mu.Lock()
		ok, changed := done(), d.changed
		d.mu.Unlock()
		if ok {
			return true
		}
		select {
		case <-changed:
		case <-d.ended:
			d.mu.Lock()
			defer d.mu.Unlock()
			return done()
		case <-timer.C:
			return false
		}
	}
}

// Pending is the answer to a command that the process has not given yet.
type Pending struct {
	d       *Driver
	id      int
	what    string
	instead func() string // what there is when the answer does not come; nil: nothing to say
}

// send writes a command.
func (d *Driver) send(cmd string, fields map[string]any) *Pending {
	d.t.Helper()
	d.mu.Lock()
	d.nextID++
	id := d.nextID
	d.mu.Unlock()
	fields["cmd"], fields["id"] = cmd, id
	data, err := json.Marshal(fields)
	if err != nil {
		d.t.Fatalf("driver: encode %s: %v", cmd, err)
	}
	if _, err := d.process.stdin.Write(append(data, '\n')); err != nil {
		d.t.Fatalf("driver: send %s: %v\n%s", cmd, err, d.process.stderr)
	}
	return &Pending{d: d, id: id, what: cmd}
}

// result waits for the answer and decodes it into v, unless v is nil. Its error is the client's own.
func (p *Pending) result(v any) error {
	p.d.t.Helper()
	var a answer
	arrived := p.d.await(func() (ok bool) {
		if a, ok = p.d.answers[p.id]; ok {
			delete(p.d.answers, p.id)
		}
		return ok
	})
	switch {
	case !arrived && p.instead != nil:
		p.d.t.Fatalf("driver: %s: only %s", p.what, p.instead())
	case !arrived:
		p.d.t.Fatalf("driver: %s: no answer\n%s", p.what, p.d.process.stderr)
	case a.Err != nil:
		return fmt.Errorf("%s", *a.Err)
	case v != nil:
		if err := json.Unmarshal(a.OK, v); err != nil {
			p.d.t.Fatalf("driver: %s: decode the answer %s: %v", p.what, a.OK, err)
		}
	}
	return nil
}

// do sends a command and waits until it was carried out.
func (d *Driver) do(cmd string, fields map[string]any, v any) {
	d.t.Helper()
	if err := d.send(cmd, fields).result(v); err != nil {
		d.t.Fatalf("driver: %s: %v", cmd, err)
	}
}

// Pause stops the process, so that none of its clients reads, writes or answers a ping, until [Driver.Resume].
func (d *Driver) Pause() {
	d.t.Helper()
	if err := pause(d.process.cmd.Process); err != nil {
		d.t.Fatalf("driver: pause: %v", err)
	}
	d.paused = true
}

// Resume lets the process run on.
func (d *Driver) Resume() {
	d.t.Helper()
	if !d.paused {
		return
	}
	d.paused = false
	if err := resume(d.process.cmd.Process); err != nil {
		d.t.Fatalf("driver: resume: %v", err)
	}
}

// Kill ends the process at once, as a crash of all its clients does. The driver is of no use afterwards.
func (d *Driver) Kill() {
	d.killed = true
	d.process.kill()
	<-d.ended
}
