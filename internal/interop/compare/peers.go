package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Names that more than one place knows.
const (
	parlorName = "parlor"
	singleName = "parlor-1" // with one processor, beside who uses one
	nodeName   = "node"     // whom the others are compared with
	redisName  = "redis"    // no peer, but it may be missing too
)

// peers are all that there are, in the order of the page's columns.
func peers() []*peer {
	return []*peer{
		{name: parlorName, title: "Parlor", setup: "`--chat-rate=0 --chat-history=0`, every other setting as it comes", redis: true, threads: true, prepare: prepareParlor},
		{name: singleName, title: "Parlor, 1 processor", setup: "the same with `GOMAXPROCS=1`", prepare: prepareParlor},
		{name: nodeName, title: "Node's socket.io", setup: "`ws` with `bufferutil`, the session's first request let go, `NODE_ENV=production`; over Redis with `@socket.io/redis-adapter`", redis: true, prepare: prepareNode},
		{name: "bun", title: "Bun", setup: "socket.io with `@socket.io/bun-engine`", prepare: prepareBun},
		{name: "zishang520-v2", title: "zishang520/socket.io v2", setup: "as it comes", threads: true, prepare: prepareZishang520V2},
		{name: "zishang520-v3", title: "zishang520/socket.io v3", setup: "as it comes", threads: true, prepare: prepareZishang520V3},
		{name: "python", title: "python-socketio", setup: "`AsyncServer` on `uvicorn[standard]` (uvloop, httptools, websockets), one process; over Redis with `AsyncRedisManager`", redis: true, prepare: preparePython},
		{name: "rust", title: "socketioxide", setup: "on axum and tokio, built for release with thin LTO, `TCP_NODELAY` set, `max_buffer_size` raised to 100,000", threads: true, prepare: prepareRust},
	}
}

func prepareParlor(ctx context.Context, o *options, p *peer) error {
	program, err := filepath.Abs(o.parlor)
	if err != nil {
		return err
	}
	if p.version, err = output(ctx, "", program, "version"); err != nil {
		return fmt.Errorf("%w; make build makes it", err)
	}
	if p.name == singleName {
		p.env = []string{"GOMAXPROCS=1"}
	}
	p.command = func(port, redis string) []string {
		args := []string{program, "serve", "--addr=127.0.0.1:" + port, "--chat-rate=0", "--chat-history=0", "--log-level=error"}
		if redis != "" {
			args = append(args, "--redis="+redis)
		}
		return args
	}
	return nil
}

func prepareNode(ctx context.Context, o *options, p *peer) error {
	program, err := exec.LookPath("node")
	if err != nil {
		return errors.New("there is no Node.js")
	}
	folder, err := installPackages(ctx, o, "node")
	if err != nil {
		return err
	}
	script := `process.stdout.write(require("socket.io/package.json").version + " on Node.js " + process.versions.node)`
	if p.version, err = output(ctx, folder, program, "-e", script); err != nil {
		return err
	}
	p.env = []string{"NODE_ENV=production"}
	p.command = withRedis(program, filepath.Join(folder, "chat.mjs"))
	return nil
}

func prepareBun(ctx context.Context, o *options, p *peer) error {
	folder, err := installPackages(ctx, o, "bun")
	if err != nil {
		return err
	}
	// The program is in a package of its own for each system; bun's install script,
	// which npm may not be allowed to run, moves it to where it is found as bun.
	programs, _ := filepath.Glob(filepath.Join(folder, "node_modules/@oven/*/bin/bun"))
	for _, program := range append([]string{filepath.Join(folder, "node_modules/.bin/bun")}, programs...) {
		version, err := output(ctx, folder, program, "-p", `require("@socket.io/bun-engine/package.json").version + " on Bun " + Bun.version`)
		if err == nil {
			p.version, p.env = version, []string{"NODE_ENV=production"}
			p.command = withRedis(program, filepath.Join(folder, "chat.mjs"))
			return nil
		}
	}
	return errors.New("npm's package bun has no program for this system")
}

func prepareZishang520V2(ctx context.Context, o *options, p *peer) error {
	return buildGo(ctx, o, p, "./compare/peers/zishang520v2", ".", "github.com/zishang520/socket.io/v2")
}

func prepareZishang520V3(ctx context.Context, o *options, p *peer) error {
	return buildGo(ctx, o, p, ".", "./compare/peers/zishang520v3", "github.com/zishang520/socket.io/servers/socket/v3")
}

// buildGo builds a peer in Go; folder is in the module that it belongs to.
func buildGo(ctx context.Context, o *options, p *peer, pkg, folder, library string) (err error) {
	program, err := filepath.Abs(filepath.Join(o.cache, "bin", p.name))
	if err != nil {
		return err
	}
	if _, err := output(ctx, folder, "go", "build", "-trimpath", "-o", program, pkg); err != nil {
		return err
	}
	p.version, err = output(ctx, folder, "go", "list", "-m", "-f", "{{.Version}}", library)
	p.command = withRedis(program)
	return err
}

func preparePython(ctx context.Context, o *options, p *peer) error {
	folder, fresh, err := unpack(o, "python")
	if err != nil {
		return err
	}
	program := filepath.Join(folder, "venv/bin/python")
	if fresh {
		base, err := exec.LookPath("python3")
		if err != nil {
			return errors.New("there is no python3")
		}
		if _, err := output(ctx, folder, base, "-m", "venv", "--clear", "venv"); err != nil {
			return err
		}
		if _, err := output(ctx, folder, program, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"); err != nil {
			return err
		}
		if err := unpacked(folder); err != nil {
			return err
		}
	}
	script := `import importlib.metadata as m, platform; print(m.version("python-socketio"), "on uvicorn", m.version("uvicorn"), "and Python", platform.python_version())`
	if p.version, err = output(ctx, folder, program, "-c", script); err != nil {
		return err
	}
	p.command = withRedis(program, filepath.Join(folder, "chat.py"))
	return nil
}

func prepareRust(ctx context.Context, o *options, p *peer) error {
	if _, err := exec.LookPath("cargo"); err != nil {
		return errors.New("there is no cargo")
	}
	target, err := filepath.Abs(filepath.Join(o.cache, "rust"))
	if err != nil {
		return err
	}
	source := filepath.Join(sources, "rust")
	if _, err := output(ctx, source, "cargo", "build", "--release", "--locked", "--quiet", "--target-dir", target); err != nil {
		return err
	}
	id, err := output(ctx, source, "cargo", "pkgid", "--locked", "socketioxide")
	if err != nil {
		return err
	}
	compiler, err := output(ctx, source, "rustc", "--version")
	if err != nil {
		return err
	}
	words := strings.Fields(compiler)
	p.version = id[strings.LastIndexAny(id, "@#")+1:] + " with Rust " + words[min(1, len(words)-1)]
	p.command = withRedis(filepath.Join(target, "release", "chatpeer"))
	return nil
}

// withRedis is the command of a peer that takes a port, and the address of Redis.
func withRedis(args ...string) func(port, redis string) []string {
	return func(port, redis string) []string {
		list := append(slices.Clone(args), port)
		if redis != "" {
			list = append(list, redis)
		}
		return list
	}
}

// sources is where the peers are, from the module's directory.
const sources = "compare/peers"

// installPackages puts a peer with its npm packages into the cache.
func installPackages(ctx context.Context, o *options, name string) (folder string, err error) {
	folder, fresh, err := unpack(o, name)
	if err != nil || !fresh {
		return folder, err
	}
	if _, err := exec.LookPath("npm"); err != nil {
		return "", errors.New("there is no npm")
	}
	if _, err := output(ctx, folder, "npm", "ci", "--no-audit", "--no-fund"); err != nil {
		return "", err
	}
	return folder, unpacked(folder)
}

// unpack copies a peer into the cache, and reports whether what it needs is to be
// installed: whether its lock file is another than when [unpacked] was called.
func unpack(o *options, name string) (folder string, fresh bool, err error) {
	folder, err = filepath.Abs(filepath.Join(o.cache, name))
	if err != nil {
		return "", false, err
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", false, err
	}
	from := os.DirFS(filepath.Join(sources, name))
	files, err := fs.Glob(from, "*.*")
	if err != nil {
		return "", false, err
	}
	for _, file := range files {
		text, err := fs.ReadFile(from, file)
		if err != nil {
			return "", false, err
		}
		if err := os.WriteFile(filepath.Join(folder, file), text, 0o600); err != nil {
			return "", false, err
		}
	}
	was, _ := os.ReadFile(filepath.Join(folder, installed)) //nolint:gosec // of the cache; what is not there is as good as empty
	return folder, string(was) != lockSum(folder), nil
}

// unpacked notes that what a peer needs is installed.
func unpacked(folder string) error {
	return os.WriteFile(filepath.Join(folder, installed), []byte(lockSum(folder)), 0o600)
}

const installed = ".installed"

func lockSum(folder string) string {
	sum := sha256.New()
	for _, name := range []string{"package-lock.json", "requirements.txt"} {
		if text, err := os.ReadFile(filepath.Join(folder, name)); err == nil { //nolint:gosec // of the cache
			sum.Write(text)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// output runs a program and returns what it says; its error has the last line of what
// it complains about.
func output(ctx context.Context, folder, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // this package names them
	cmd.Dir = folder
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		return "", fmt.Errorf("%s: %s", filepath.Base(program), lines[len(lines)-1])
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", filepath.Base(program), err)
	}
	return strings.TrimSpace(string(out)), nil
}
