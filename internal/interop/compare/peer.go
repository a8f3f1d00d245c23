package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A peer is a server that can be started.
type peer struct {
	name    string // for -peers
	title   string
	setup   string // how it is run, for the page
	redis   bool   // it is measured as two instances too
	threads bool   // it uses several processors
	// prepare installs or builds it, and says how it is started.
	prepare func(ctx context.Context, o *options, p *peer) error

	// Of prepare.
	version string
	command func(port, redis string) []string // redis is empty for one instance
	env     []string
}

// A running is a peer that serves, in one instance or several.
type running struct {
	urls []string
	pids []int
	ends []func()
}

// start starts the instances of a peer on free ports, and waits until they serve.
func start(ctx context.Context, o *options, p *peer, cluster bool) (r *running, err error) {
	r = &running{}
	defer func() {
		if err != nil {
			r.stop()
		}
	}()
	instances, redis := 1, ""
	if cluster {
		instances = 2
		if redis, err = r.startRedis(ctx, o); err != nil {
			return r, err
		}
	}
	ports, err := freePorts(ctx, instances)
	if err != nil {
		return r, err
	}
	for _, port := range ports {
		pid, err := r.run(ctx, o, p.name, p.env, p.command(port, redis))
		if err != nil {
			return r, err
		}
		r.pids, r.urls = append(r.pids, pid), append(r.urls, "http://127.0.0.1:"+port)
	}
	for _, url := range r.urls {
		if err := serves(ctx, url); err != nil {
			return r, err
		}
	}
	return r, nil
}

// run starts a program; what it says goes to a file.
func (r *running) run(ctx context.Context, o *options, name string, env, args []string) (pid int, err error) {
	folder := filepath.Join(o.cache, "log")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return 0, err
	}
	said, err := os.Create(filepath.Join(folder, name+".log")) //nolint:gosec // of the cache
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // this package names them
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = said, said
	err = cmd.Start()
	_ = said.Close() // the program has it for itself
	if err != nil {
		return 0, err
	}
	r.ends = append(r.ends, func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it is killed
	})
	return cmd.Process.Pid, nil
}

// startRedis starts a Redis of the run's own, which keeps nothing.
func (r *running) startRedis(ctx context.Context, o *options) (url string, err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return "", errors.New("there is no redis-server")
	}
	ports, err := freePorts(ctx, 1)
	if err != nil {
		return "", err
	}
	port := ports[0]
	if _, err := r.run(ctx, o, "redis", nil, []string{program, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", o.cache}); err != nil {
		return "", err
	}
	for range attempts {
		if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port); err == nil {
			c.Close()
			return "redis://127.0.0.1:" + port, nil
		}
		time.Sleep(between)
	}
	return "", errors.New("redis-server does not serve")
}

func (r *running) stop() {
	for _, end := range r.ends {
		end()
	}
}

// How long a server may take to serve.
const (
	attempts = 400
	between  = 50 * time.Millisecond
)

func serves(ctx context.Context, url string) error {
	for range attempts {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/socket.io/?EIO=4&transport=polling", http.NoBody)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			return nil
		}
		time.Sleep(between)
	}
	return fmt.Errorf("it does not serve on %s", url)
}

// freePorts returns ports that nobody listens on, all different.
func freePorts(ctx context.Context, n int) (ports []string, err error) {
	for range n {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // when all are known
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}
