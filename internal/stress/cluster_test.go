package stress

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed3686fee0/parlor/internal/redistest"
)

// patience is a guard, far above what a start or an end takes.
const patience = time.Minute

// A cluster is three instances behind nginx, as it is in examples/cluster, and one
// Redis.
type cluster struct {
	t         *testing.T
	addr      string // nginx
	secret    []byte
	instances []*instance
}

type instance struct {
	t    *testing.T
	addr string
	args []string
	env  []string
	log  *os.File
	cmd  *exec.Cmd
}

// startCluster starts one. failTimeout is for how long nginx leaves an instance alone
// that did not answer.
func startCluster(t *testing.T, window, failTimeout time.Duration) *cluster {
	t.Helper()
	dir := t.TempDir()
	parlor := filepath.Join(dir, "parlor")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", parlor, "../../cmd/parlor").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	c := &cluster{t: t, addr: "127.0.0.1:" + redistest.FreePort(t), secret: []byte(rand.Text() + rand.Text())}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, c.secret, 0o600); err != nil {
		t.Fatal(err)
	}
	redis := redistest.Start(t)
	edits := []string{"listen 8080;", "listen " + c.addr + ";", "fail_timeout=5s", "fail_timeout=" + failTimeout.String()}
	for n := range 3 {
		addr := "127.0.0.1:" + redistest.FreePort(t)
		edits = append(edits, fmt.Sprintf("parlor%d:3000", n+1), addr)
		log, err := os.Create(filepath.Join(dir, fmt.Sprintf("parlor%d.log", n+1)))
		if err != nil {
			t.Fatal(err)
		}
		i := &instance{t: t, addr: addr, log: log, env: append(os.Environ(), "PARLOR_REDIS=redis://"+redis.Addr), args: []string{
			parlor, "serve", "--addr=" + addr, fmt.Sprintf("--instance=parlor%d", n+1), "--trusted-proxy=127.0.0.1/32",
			"--auth-secret-file=" + secret, "--chat-history=1000", "--drain-window=" + window.String(),
		}}
		c.instances = append(c.instances, i)
		i.start()
		t.Cleanup(i.kill)
	}
	c.startNginx(dir, strings.NewReplacer(edits...))
	return c
}

func (c *cluster) startNginx(dir string, edits *strings.Replacer) {
	t := c.t
	t.Helper()
	conf, err := os.ReadFile("../../examples/cluster/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	main := filepath.Join(dir, "nginx.conf")
	text := "daemon off; pid " + dir + "/nginx.pid; error_log stderr crit; worker_rlimit_nofile 16384;\n" +
		"events { worker_connections 8192; }\nhttp { access_log off;\n"
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		text += what + "_temp_path " + filepath.Join(dir, what) + ";\n"
	}
	if err := os.WriteFile(main, []byte(text+edits.Replace(string(conf))+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := "nginx"
	if _, err := exec.LookPath(program); err != nil {
		program = "/usr/sbin/nginx"
	}
	var log bytes.Buffer
	cmd := exec.Command(program, "-e", "stderr", "-p", dir, "-c", main)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("the test needs nginx; run: make deps (%v)", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // has its workers end too
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", &log)
		}
	})
	answers(t, "http://"+c.addr+"/readyz")
}

// token is one for a user.
func (c *cluster) token(user string) string {
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "exp": time.Now().Add(time.Hour).Unix(),
	}).SignedString(c.secret)
	if err != nil {
		c.t.Fatal(err)
	}
	return token
}

// start starts the instance, and returns when clients may be sent to it.
func (i *instance) start() {
	i.t.Helper()
	i.cmd = exec.Command(i.args[0], i.args[1:]...)
	i.cmd.Env, i.cmd.Stdout, i.cmd.Stderr = i.env, i.log, i.log
	if err := i.cmd.Start(); err != nil {
		i.t.Fatal(err)
	}
	answers(i.t, "http://"+i.addr+"/readyz")
}

// restart ends the instance as a service manager does, and starts it again.
func (i *instance) restart() {
	i.t.Helper()
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		i.t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { _ = i.cmd.Process.Kill() })
	defer late.Stop()
	if err := i.cmd.Wait(); err != nil {
		i.t.Errorf("%s ended with %v", i.addr, err)
	}
	i.start()
}

func (i *instance) kill() {
	_ = i.cmd.Process.Kill() // it may have ended
	_ = i.cmd.Wait()
	log, err := os.ReadFile(i.log.Name())
	if err != nil || bytes.Contains(log, []byte("panic")) || i.t.Failed() {
		i.t.Errorf("%s: %v\n%s", i.addr, err, log[max(0, len(log)-4000):])
	}
	i.log.Close()
}

// answers waits until an address answers with 200.
func answers(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		if res, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not answer", url)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
