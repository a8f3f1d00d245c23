//go:build linux && !race

package load

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// attacked is for how long TestE13LittleMemory attacks:
// go test -run E13 -attacked 5m ./internal/load
var attacked = flag.Duration("attacked", 3*time.Second, "for how long TestE13LittleMemory attacks")

// A program is the parlor command, in a process of its own.
type program struct {
	cmd  *exec.Cmd
	addr string
}

// startProgram builds the command, as it is released, and runs it.
func startProgram(t *testing.T, env []string, args ...string) *program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parlor")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/parlor").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p := &program{cmd: exec.Command(path, append([]string{"--addr=127.0.0.1:0"}, args...)...)}
	p.cmd.Env = append(os.Environ(), env...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log, drained := bufio.NewReader(stderr), make(chan struct{})
	t.Cleanup(func() { // what clients have left open would hold an orderly end up
		_ = p.cmd.Process.Kill()
		<-drained
		_ = p.cmd.Wait()
	})
	for p.addr == "" {
		line, err := log.ReadString('\n')
		if err != nil {
			close(drained)
			t.Fatal(err)
		}
		if strings.Contains(line, "msg=serving") {
			_, rest, _ := strings.Cut(line, `addr="`)
			p.addr, _, _ = strings.Cut(rest, `"`)
		}
	}
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, log)
	}()
	return p
}

// peak is the most memory that the process has had at a time.
func (p *program) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// attacks are what clients do that want a server's memory. Each is one round on a
// connection of its own; errors are the server's answer.
var attacks = map[string]func(addr string) error{
	"largest messages": func(addr string) error {
		return enter(addr, func(w *wire.WS) error {
			return w.Send(`42["x","` + strings.Repeat("x", 990_000) + `"]`)
		})
	},
	"deep and wide JSON": func(addr string) error {
		return enter(addr, func(w *wire.WS) error {
			return w.Send(`42["x",` + strings.TrimSuffix(strings.Repeat(`{"a":[[[[1]]]]},`, 50_000), ",") + `]`)
		})
	},
	"attachments that do not come": func(addr string) error {
		return enter(addr, func(w *wire.WS) error {
			err := w.Send(`452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
			return errors.Join(err, w.SendPackets(wire.Packet{Data: strings.Repeat("x", 900_000), Binary: true}))
		})
	},
	"fragments": func(addr string) error {
		return enter(addr, func(w *wire.WS) error {
			frame := wire.Frame{Opcode: wire.OpText, Payload: []byte("4")}
			frames := []wire.Frame{frame}
			frame.Opcode = wire.OpContinuation
			for range 20_000 {
				frames = append(frames, frame)
			}
			return w.Write(frames...)
		})
	},
	"rooms": func(addr string) error {
		return enter(addr, func(w *wire.WS) error {
			for i := range 500 {
				if err := w.Send(fmt.Sprintf(`42["join","%d %s"]`, i, strings.Repeat("r", 100))); err != nil {
					return err
				}
			}
			return nil
		})
	},
	"namespaces": func(addr string) error {
		return enter(addr, func(w *wire.WS) error {
			for i := range 100 {
				if err := w.Send(fmt.Sprintf("40/%d%s,", i, strings.Repeat("n", 200))); err != nil {
					return err
				}
			}
			return nil
		})
	},
	"sessions that nobody polls": func(addr string) error {
		_, err := wire.OpenPoll(addr, "")
		return err
	},
	"asks and does not read": func(addr string) error {
		return enter(addr, func(w *wire.WS) error {
			if err := w.Conn.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
				return err
			}
			for range 2000 {
				if err := w.Send(`421["join","r"]`); err != nil {
					return err
				}
			}
			return nil
		})
	},
	"bodies that are large": func(addr string) error {
		p, err := wire.OpenPoll(addr, "")
		if err != nil {
			return err
		}
		_, err = p.Post("40" + strings.Repeat("x", 1_000_000))
		return errors.Join(err, p.Close())
	},
}

// enter connects, attacks, and stays for a moment.
func enter(addr string, attack func(w *wire.WS) error) error {
	w, err := wire.OpenWS(addr, wire.Handshake{})
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	late := time.AfterFunc(time.Second, func() { _ = w.Close() }) // a server that stops reading may take its time
	defer late.Stop()
	if _, err := wire.Join(w, "/"); err != nil {
		return err
	}
	err = attack(w)
	time.Sleep(100 * time.Millisecond)
	return err
}

// TestE13LittleMemory: the command with 256 MB of memory, told of it as one tells a
// Go program, stands the attacks all at once: it takes no more, and its other
// clients are served.
func TestE13LittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a program is built")
	}
	const most, attackers = 256 << 20, 4 // of each kind at a time
	p := startProgram(t, []string{"GOMEMLIMIT=200MiB"})
	canary, err := wire.OpenWS(p.addr, wire.Handshake{})
	if err != nil {
		t.Fatal(err)
	}
	defer canary.Close()
	if _, err := wire.Join(canary, "/"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var rounds, refused atomic.Int64
	until := time.Now().Add(*attacked)
	for _, attack := range attacks {
		for range attackers {
			all.Go(func() {
				for time.Now().Before(until) {
					rounds.Add(1)
					if attack(p.addr) != nil {
						refused.Add(1)
					}
				}
			})
		}
	}
	echoes, worst := 0, time.Duration(0)
	for ; time.Now().Before(until); echoes++ {
		began := time.Now()
		if err := ask(canary); err != nil {
			t.Fatalf("after %d echoes: %v", echoes, err)
		}
		worst = max(worst, time.Since(began))
		time.Sleep(10 * time.Millisecond)
	}
	all.Wait()
	peak := p.peak(t)
	t.Logf("%d attacks, %d of them refused; %d MiB at most; %d answers, the slowest after %v", rounds.Load(), refused.Load(), peak>>20, echoes, worst)
	if peak > most {
		t.Errorf("it took %d bytes", peak)
	}
	if n := rounds.Load() - refused.Load(); n < 100 {
		t.Errorf("%d attacks are no attack", n)
	}
	if err := ask(canary); err != nil {
		t.Errorf("after the attacks: %v", err)
	}
}

// ask asks for something that is answered.
func ask(w *wire.WS) error {
	if err := w.Send(`427["join","canary"]`); err != nil {
		return err
	}
	for {
		p, err := w.Next()
		switch {
		case err != nil:
			return err
		case p.Data == "2":
			if err := w.Send("3"); err != nil {
				return err
			}
		case strings.HasPrefix(p.Data, "437["):
			return nil
		}
	}
}
