package e2e_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// built is the program that all tests here share: linking it takes as long as many of them. TestMain removes it.
var built struct {
	once   sync.Once
	dir    string
	binary string // empty: it could not be built, as the first test has said
}

// buildApp returns the program, with the app and the Admin UI in it; where the tests run with the race detector so does the program.
func buildApp(t *testing.T) (binary string) {
	t.Helper()
	built.once.Do(func() { build(t) })
	if built.binary == "" {
		t.Fatal("parlor was not built")
	}
	return built.binary
}

func build(t *testing.T) {
	t.Helper()
	root := filepath.Join("..", "..")
	dist := filepath.Join("cmd", "parlor", "internal", "web", "dist")
	for _, page := range []string{filepath.Join(dist, "app", "index.html"), filepath.Join(dist, "admin", "page", "index.html")} {
		if _, err := os.Stat(filepath.Join(root, page)); err != nil {
			command(t, root, "make", filepath.ToSlash(page))
		}
	}
	dir, err := os.MkdirTemp("", "parlor-e2e-") //nolint:usetesting // it outlives the test that builds first
	if err != nil {
		t.Fatal(err)
	}
	built.dir = dir
	binary := filepath.Join(dir, "parlor")
	args := []string{"build", "-o", binary}
	if raceEnabled {
		args = append(args, "-race")
	}
	command(t, root, "go", append(args, "./cmd/parlor")...)
	built.binary = binary
}

// An app is the program, serving the app, and what a test's script may do with it.
type app struct {
	URL string

	binary string
	args   []string
	addr   string
	mu     sync.Mutex // held by start and stop, which the script calls
	cmd    *exec.Cmd
	logged chan struct{} // closed when cmd's log has ended
}

// startApp starts the program on a free port. At the end of the test it is told to end, and has to.
func startApp(t *testing.T, binary string, args ...string) *app {
	t.Helper()
	a := &app{binary: binary, args: args, addr: "127.0.0.1:" + redistest.FreePort(t)}
	if err := a.start(t); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.stop(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// start starts the program, always on the same port.
func (a *app) start(t *testing.T) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	cmd := exec.Command(a.binary, append([]string{"serve", "--addr=" + a.addr, "--log-format=json"}, a.args...)...)
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return err
	}
	serving, logged := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(logged)
		defer r.Close()
		for lines := bufio.NewScanner(r); lines.Scan(); {
			t.Log("parlor: " + lines.Text())
			var entry struct{ Msg, Page string }
			if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "serving" {
				serving <- entry.Page
			}
		}
	}()
	a.cmd, a.logged = cmd, logged
	late := time.NewTimer(jstest.Deadline)
	defer late.Stop()
	select {
	case page := <-serving:
		a.URL = page
	case <-logged:
		a.cmd = nil
		return fmt.Errorf("parlor ended at once: %w", cmd.Wait())
	case <-late.C:
		return fmt.Errorf("parlor has not said within %v that it serves", jstest.Deadline)
	}
	return nil
}

// stop tells the program to end, as a service manager does, and waits until it has.
func (a *app) stop() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cmd == nil {
		return nil
	}
	cmd := a.cmd
	a.cmd = nil
	late := time.AfterFunc(jstest.Deadline, func() { cmd.Process.Kill() })
	defer late.Stop()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("end parlor: %w", err)
	}
	<-a.logged
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("parlor's end: %w", err)
	}
	return nil
}

func (a *app) running() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cmd != nil
}

// command runs the program with other arguments, such as token, and returns what it prints.
func (a *app) command(args ...string) (string, error) {
	cmd := exec.Command(a.binary, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("parlor %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(output)), nil
}

// scriptDeadline is for a whole story, of which one waits for tokens to expire. Each wait in it has its own.
const scriptDeadline = 4 * jstest.Deadline

// script runs a script of the app's tests, which fails when anything in it does. It may ask for what is in
// control, by name and with a text, and gets a text. More is for the script alone.
func (a *app) script(t *testing.T, name string, control controls, more map[string]any) {
	t.Helper()
	chromium := jstest.Chromium(t)
	mux := http.NewServeMux()
	for name, do := range control {
		mux.HandleFunc("POST /"+name, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err == nil {
				var answer string
				if answer, err = do(string(body)); err == nil {
					io.WriteString(w, answer)
					return
				}
			}
			http.Error(w, err.Error(), http.StatusInternalServerError)
		})
	}
	controls := httptest.NewServer(mux)
	defer controls.Close()
	options := map[string]any{
		"chromium": chromium, "url": a.URL, "tmp": t.TempDir(), "control": controls.URL,
		"pictures": os.Getenv(picturesEnv), "modules": jstest.Dir(t),
	}
	maps.Copy(options, more)
	arg, err := json.Marshal(options)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range jstest.RunFor(t, scriptDeadline, name, string(arg)) {
		t.Logf("%s: %s", name, line)
	}
}

// picturesEnv names the folder that the tests leave pictures of the app in.
const picturesEnv = "PARLOR_PICTURES"

// withoutWebSocket puts a proxy in front of an app that refuses upgrades, as some in offices do, and returns its
// address.
func withoutWebSocket(t *testing.T, a *app) string {
	t.Helper()
	target, err := url.Parse(a.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			http.Error(w, "no upgrades here", http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	return web.URL
}
