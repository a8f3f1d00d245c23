// Package redistest starts Redis servers for tests, and does to them what the
// world does to Redis servers. They are those of redis-server, or of what the
// environment variable REDIS_SERVER names: a path of valkey-server, say.
package redistest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// guard bounds how long a server is waited for.
const guard = 30 * time.Second

// A Server is a redis-server of its own, on a free port of the loopback address,
// which keeps nothing.
type Server struct {
	Addr string

	t    testing.TB
	args []string
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
	log  *os.File
}

// Start starts a server with the given directives beside the usual, and kills it
// when the test ends. The test fails where there is no server.
func Start(t testing.TB, directives ...string) *Server {
	t.Helper()
	path := binary(t)
	dir := t.TempDir()
	return start(t, dir, append([]string{path, "--save", "", "--appendonly", "no", "--dir", dir}, directives...))
}

// binary finds the server: what REDIS_SERVER names, valkey-server perhaps, or
// redis-server.
func binary(t testing.TB) string {
	t.Helper()
	name := cmp.Or(os.Getenv("REDIS_SERVER"), "redis-server")
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("the tests with Redis need %s; run: make deps", name)
	}
	return path
}

// StartSentinel starts a Sentinel with a configuration file, which it rewrites.
func StartSentinel(t testing.TB, conf string) *Server {
	t.Helper()
	path := binary(t)
	return start(t, t.TempDir(), []string{path, conf, "--sentinel"})
}

// StartCluster starts a Redis Cluster of two masters, which share the slots.
func StartCluster(t testing.TB) []*Server {
	t.Helper()
	servers := make([]*Server, 2)
	for i := range servers {
		bus := FreePort(t)
		s := Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", bus)
		s.Do("CLUSTER", "ADDSLOTSRANGE", i*8192, i*8192+8191)
		if i > 0 {
			host, port, _ := strings.Cut(s.Addr, ":")
			servers[0].Do("CLUSTER", "MEET", host, port, bus)
		}
		servers[i] = s
	}
	deadline := time.Now().Add(guard)
	for _, s := range servers {
		for !strings.Contains(s.Do("CLUSTER", "INFO").(string), "cluster_state:ok") {
			if time.Now().After(deadline) {
				t.Fatal("the Redis Cluster does not get ready")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return servers
}

func start(t testing.TB, dir string, args []string) *Server {
	t.Helper()
	port := FreePort(t)
	log, err := os.Create(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: "127.0.0.1:" + port, t: t, args: append(args, "--port", port, "--bind", "127.0.0.1"), log: log}
	t.Cleanup(func() {
		s.Kill()
		log.Close()
	})
	s.Restart()
	return s
}

var given sync.Map // the ports that FreePort has returned

// FreePort returns a port of the loopback address that nobody listens at now. It is
// below those that systems give out by themselves, so that no connection gets it
// before its server is there, or while that is away. A process gets none twice.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		if _, taken := given.LoadOrStore(port, true); taken {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// Restart starts a server that was killed, and returns when it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Launch()
	rdb := s.Client()
	defer rdb.Close()
	deadline := time.Now().Add(guard)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		info, err := rdb.Info(ctx, "server").Result()
		cancel()
		// A server that wants a password is there as well.
		if err != nil && strings.HasPrefix(err.Error(), "NOAUTH") {
			return
		}
		if err == nil {
			if strings.Contains(info, fmt.Sprintf("process_id:%d\r\n", s.cmd.Process.Pid)) {
				return
			}
			err = errors.New("another server has its port")
		}
		select {
		case <-s.done: // a test beside this one had its port
			s.Launch()
		default:
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(s.log.Name())
			s.t.Fatalf("redis-server does not answer: %v\n%s", err, log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Launch starts a server that was killed, and does not wait for it.
func (s *Server) Launch() {
	s.t.Helper()
	s.cmd = exec.Command(s.args[0], s.args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, done := s.cmd, make(chan struct{})
	s.done = done
	go func() {
		defer close(done)
		_ = cmd.Wait() // says that it was killed
	}()
}

// Kill ends the server without a word. Killing it again does nothing.
func (s *Server) Kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill() // it has ended
	<-s.done
	s.cmd = nil
}

// Client returns a client of the server, which the caller closes.
func (s *Server) Client() *redis.Client { return Client(s.Addr) }

// Client returns a client of a server at an address, a proxy's perhaps.
func Client(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, DisableIdentity: true})
}

// Do runs a command at the server, and fails the test where it fails.
func (s *Server) Do(args ...any) any {
	s.t.Helper()
	rdb := s.Client()
	defer rdb.Close()
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	reply, err := rdb.Do(ctx, args...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return reply
}
