package e2e_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/internal/redistest"
)

// clusterTests are stories of people on two instances of the program, which share a Redis. Each has instances and
// a browser of its own, and a script, cluster_NAME.mjs.
var clusterTests = []struct {
	name string
	run  func(t *testing.T, binary, script string)
}{
	{"chat", clusterChat},
	{"kill", clusterKill},
}

func TestCluster(t *testing.T) {
	t.Parallel()
	binary := buildApp(t)
	for _, test := range clusterTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, binary, "cluster_"+test.name+".mjs")
		})
	}
}

// startPair starts two instances that know users by their tokens, and what makes those.
func startPair(t *testing.T, binary string) (one, two *app, control controls) {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	text, err := (&app{binary: binary}).command("token", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(secret, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--redis=redis://" + redistest.Start(t).Addr, "--auth-secret-file=" + secret}
	one, two = startApp(t, binary, flags...), startApp(t, binary, flags...)
	return one, two, controls{"token": func(name string) (string, error) {
		return one.command("token", "--auth-secret-file="+secret, "--sub=id-of-"+name, "--name="+name)
	}}
}

func clusterChat(t *testing.T, binary, script string) {
	one, two, control := startPair(t, binary)
	one.script(t, script, control, map[string]any{"other": two.URL})
}

// clusterKill has a balancer in front of the two for who is to come back on the other.
func clusterKill(t *testing.T, binary, script string) {
	one, two, control := startPair(t, binary)
	control["kill"] = func(string) (string, error) { return "", one.kill() }
	one.script(t, script, control, map[string]any{"other": two.URL, "balancer": balancer(t, one, two)})
}

// kill ends the program without giving it time for a word.
func (a *app) kill() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	cmd := a.cmd
	if cmd == nil {
		return errors.New("it does not run")
	}
	a.cmd = nil
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	<-a.logged
	_ = cmd.Wait() // says that it was killed
	return nil
}

// balancer puts a proxy in front of instances that uses the first of them that accepts connections, and returns
// its address.
func balancer(t *testing.T, instances ...*app) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var (
		mu    sync.Mutex
		work  sync.WaitGroup
		conns = map[net.Conn]bool{} // nil: no more
	)
	add := func(c net.Conn) bool {
		mu.Lock()
		defer mu.Unlock()
		if conns == nil {
			c.Close()
			return false
		}
		conns[c] = true
		return true
	}
	serve := func(client net.Conn) {
		defer client.Close()
		if !add(client) {
			return
		}
		for _, a := range instances {
			server, err := net.Dial("tcp", a.addr)
			if err != nil {
				continue
			}
			defer server.Close()
			if !add(server) {
				return
			}
			var both sync.WaitGroup
			for to, from := range map[net.Conn]net.Conn{client: server, server: client} {
				both.Go(func() {
					_, _ = io.Copy(to, from) // it ends when either side does
					to.Close()
					from.Close()
				})
			}
			both.Wait()
			return
		}
	}
	work.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { serve(client) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for c := range conns {
			c.Close()
		}
		conns = nil
		mu.Unlock()
		work.Wait()
	})
	return (&url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/"}).String()
}
