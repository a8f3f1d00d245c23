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
	"runtime/debug"
	"strings"
	"time"
)

// A peer is a server that can be started.
type peer struct {
	name, version string
	command       func(port string) []string
	env           []string
}

// available finds the peers that can be had here, and says which cannot, and why.
func available(ctx context.Context, o options) (peers []peer, missing []string, clean func(), err error) {
	folder, err := os.MkdirTemp("", "compare")
	if err != nil {
		return nil, nil, nil, err
	}
	clean = func() { _ = os.RemoveAll(folder) }
	parlor := func(port string) []string {
		return []string{o.parlor, "serve", "--addr=127.0.0.1:" + port, "--chat-rate=0", "--chat-history=0", "--log-level=error"}
	}
	peers = []peer{
		{name: "Parlor", command: parlor},
		{name: "Parlor, GOMAXPROCS=1", command: parlor, env: []string{"GOMAXPROCS=1"}},
	}
	if p, err := node(ctx, o); err != nil {
		missing = append(missing, "Node's socket.io: "+err.Error())
	} else {
		peers = append(peers, p)
	}
	if p, err := zishang520(ctx, folder); err != nil {
		missing = append(missing, "zishang520/socket.io v2: "+err.Error())
	} else {
		peers = append(peers, p)
	}
	return peers, missing, clean, nil
}

// nodeName is the peer that the others are compared with.
const nodeName = "Node's socket.io"

func node(ctx context.Context, o options) (p peer, err error) {
	modules, err := filepath.Abs(o.modules)
	if err != nil {
		return p, err
	}
	program, err := exec.LookPath("node")
	if err != nil {
		return p, errors.New("there is no Node.js")
	}
	script := `process.stdout.write(require("socket.io/package.json").version + " on Node " + process.versions.node)`
	cmd := exec.CommandContext(ctx, program, "-e", script)
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	version, err := cmd.Output()
	if err != nil {
		return p, errors.New("it is not installed; make deps installs it")
	}
	return peer{
		name: nodeName, version: string(version), env: []string{"NODE_PATH=" + modules, "NODE_ENV=production"},
		command: func(port string) []string { return []string{program, "compare/chat.cjs", port} },
	}, nil
}

func zishang520(ctx context.Context, folder string) (p peer, err error) {
	program := filepath.Join(folder, "chatpeer")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./compare/chatpeer").CombinedOutput(); err != nil {
		return p, fmt.Errorf("it does not build: %s", strings.TrimSpace(string(out)))
	}
	version := "v2"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/zishang520/socket.io/v2" {
				version = d.Version
			}
		}
	}
	if version == "v2" {
		if out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Version}}", "github.com/zishang520/socket.io/v2").Output(); err == nil {
			version = strings.TrimSpace(string(out))
		}
	}
	return peer{name: "zishang520/socket.io", version: version, command: func(port string) []string { return []string{program, port} }}, nil
}

// A running is a peer that serves.
type running struct {
	url string
	pid int
	cmd *exec.Cmd
}

// start starts a peer on a free port, and waits until it serves.
func start(ctx context.Context, p peer) (*running, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	args := p.command(port)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), p.env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &running{url: "http://127.0.0.1:" + port, pid: cmd.Process.Pid, cmd: cmd}
	for range 200 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+"/socket.io/?EIO=4&transport=polling", http.NoBody)
		if err != nil {
			break
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
			return r, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.stop()
	return nil, errors.New("it does not serve")
}

func (r *running) stop() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait() // it is killed
}
