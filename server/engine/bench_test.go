//go:build unix

package engine_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// The clients of a benchmark live in a process of their own, so that what is
// measured is the server: "cpu-ns/op" is the processor time, of user and
// system, that this process spent on one message to or from one client.

// benchClients, in the environment, makes this binary be those clients: what
// they do, how many there are, and where the server is.
const benchClients = "PARLOR_ENGINE_BENCH_CLIENTS"

func init() { //nolint:gochecknoinits // TestMain is there on systems without this file too
	if job := os.Getenv(benchClients); job != "" {
		instead = func() { beClients(strings.Fields(job)) }
	}
}

func beClients(job []string) {
	n, err := strconv.Atoi(job[1])
	if err != nil {
		panic(err)
	}
	var all sync.WaitGroup
	for range n {
		c, err := net.Dial("tcp", job[2])
		if err != nil {
			panic(err)
		}
		r := bufio.NewReaderSize(c, 64<<10)
		if _, err := io.WriteString(c, wire.Handshake{}.Bytes(job[2])); err != nil {
			panic(err)
		}
		if _, err := http.ReadResponse(r, nil); err != nil {
			panic(err)
		}
		all.Go(func() { clientJob(job[0], c, r) })
	}
	go func() { // the server's end is theirs
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	all.Wait()
}

// clientJob is what one client does until its server goes.
func clientJob(job string, c net.Conn, r *bufio.Reader) {
	frame := wire.Text("4" + benchMessage).Append(nil)
	window := 1
	switch job {
	case "drain":
		_, _ = io.Copy(io.Discard, r)
		return
	case "flood":
		window = 64
	}
	reply := 2 + 1 + len(benchMessage)
	frames := []byte(strings.Repeat(string(frame), window))
	if _, err := r.ReadString('}'); err != nil { // the open packet
		return
	}
	for {
		if _, err := c.Write(frames); err != nil {
			return
		}
		if _, err := r.Discard(window * reply); err != nil {
			return
		}
	}
}

const benchMessage = `2["message",{"room":"lobby","text":"a message of the usual length","at":1763700000000}]`

// startClients starts n clients that do a job, and waits for sessions.
func startClients(b *testing.B, f *fixture, job string, n, wait int) []*session {
	b.Helper()
	self, err := os.Executable()
	ok(b, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", benchClients, job, n, f.addr))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	ok(b, err)
	ok(b, cmd.Start())
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	sessions := make([]*session, wait)
	for i := range sessions {
		sessions[i] = get(b, f.opened, "a client")
	}
	return sessions
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report gives the figures for one message to or from one client.
func report(b *testing.B, cpu time.Duration, messages int) {
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(messages), "cpu-ns/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(messages), "ns/op")
}

// BenchmarkBroadcast sends one message after another to all, as fast as they
// are taken: most leave in company.
func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			f := start(b, engine.Options{})
			sessions := startClients(b, f, "drain", n, n)
			b.ReportAllocs()
			from, messages := cpuTime(), 0
			for b.Loop() {
				broadcast(sessions)
				messages += n
			}
			for _, s := range sessions {
				for engine.Unsent(s.Session) > 0 {
					runtime.Gosched()
				}
			}
			report(b, cpuTime()-from, messages)
			b.ReportMetric(float64(len(engine.Frame(engine.NewText(benchMessage), false))), "wire-B/op")
		})
	}
}

func broadcast(sessions []*session) {
	m := engine.NewText(benchMessage)
	for _, s := range sessions {
		if s.Send(0, m) {
			s.Flush()
		}
	}
}

// BenchmarkPaced sends 40 messages a second to 500 clients: each has to be
// written on its own.
func BenchmarkPaced(b *testing.B) {
	const n = 500
	f := start(b, engine.Options{})
	sessions := startClients(b, f, "drain", n, n)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	from, messages := cpuTime(), 0
	for b.Loop() {
		<-tick.C
		broadcast(sessions)
		messages += n
	}
	report(b, cpuTime()-from, messages)
}

// BenchmarkEcho answers clients that send the next message when they have the
// answer (echo), or 64 at once (flood).
func BenchmarkEcho(b *testing.B) {
	for _, test := range []struct {
		job     string
		clients int
	}{{"echo", 1}, {"echo", 100}, {"flood", 1}, {"flood", 50}} {
		b.Run(fmt.Sprint(test.job, "/", test.clients), func(b *testing.B) {
			f := start(b, engine.Options{})
			var count atomic.Int64
			f.onText = func(s *session, text string) {
				count.Add(1)
				s.text(text)
			}
			startClients(b, f, test.job, test.clients, test.clients)
			b.ReportAllocs()
			from, before := cpuTime(), count.Load()
			for n := before; b.Loop(); n++ {
				for count.Load() <= n {
					time.Sleep(50 * time.Microsecond)
				}
			}
			report(b, cpuTime()-from, int(count.Load()-before))
		})
	}
}

// BenchmarkPolling is a poll and a POST, with the client's side.
func BenchmarkPolling(b *testing.B) {
	f := start(b, engine.Options{})
	f.onText = echo
	c, s := f.openPoll()
	b.ReportAllocs()
	for b.Loop() {
		ok(b, c.Send("4"+benchMessage))
		if _, err := c.Next(); err != nil {
			b.Fatal(err)
		}
	}
	s.Close(engine.ForcedClose)
	_, _ = c.Next()
}

// nobody is a receiver that takes no memory.
type nobody struct{}

func (nobody) Text([]byte)                 {}
func (nobody) Binary([]byte)               {}
func (nobody) Closed(engine.Reason, error) {}

// BenchmarkMemory opens connections that then wait, and reports what each
// takes of heap and stack.
func BenchmarkMemory(b *testing.B) {
	const n = 2000
	for b.Loop() {
		f := &fixture{t: b}
		f.Server = engine.New(engine.Options{Open: func(*engine.Session, *http.Request) engine.Receiver { return nobody{} }})
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ok(b, err)
		f.serve(l)
		settle := func(n int) {
			eventually(b, "all are there", func() bool { return f.Stats().Sessions == n })
		}
		startClients(b, f, "drain", n, 0)
		settle(n)
		before := inUse()
		startClients(b, f, "drain", n, 0)
		settle(2 * n)
		b.ReportMetric(float64(inUse()-before)/n, "B/conn")
	}
}

func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
