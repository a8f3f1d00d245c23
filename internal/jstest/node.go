package jstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// needed by every test of this package and said in one line when it is not there.
const installNode = "the tests with the real client need Node.js 20 or newer with npm: install it and put node and npm on PATH"

// toolchain is where Node and the scripts are, looked up once a process.
type toolchain struct {
	node string // the executable
	dir  string // of package.json and node_modules
}

var findToolchain = sync.OnceValues(func() (toolchain, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return toolchain{}, errors.New(installNode)
	}
	root, err := moduleRoot()
	if err != nil {
		return toolchain{}, err
	}
	dir := filepath.Join(root, "internal", "jstest")
	if err := installModules(dir, filepath.Join(root, ".tmp")); err != nil {
		return toolchain{}, err
	}
	return toolchain{node: node, dir: dir}, nil
})

func findNode(t testing.TB) toolchain {
	t.Helper()
	tc, err := findToolchain()
	if err != nil {
		t.Fatal(err)
	}
	return tc
}

// Dir is the folder of package.json, for a script elsewhere that needs a module from it.
func Dir(t testing.TB) string {
	t.Helper()
	return findNode(t).dir
}

// moduleRoot walks up from the directory that go test runs a package's tests in.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the module's root: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find the module's root: no go.mod above the working directory")
		}
		dir = parent
	}
}

// installModules fills dir/node_modules where it is missing or holds other versions than package.json names.
// Packages are tested in parallel, each in a process of its own, so the modules are installed aside and then
// renamed into place: whoever comes second finds them there. tmp is on the same file system.
func installModules(dir, tmp string) error {
	if installed(dir) {
		return nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errors.New(installNode)
	}
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return fmt.Errorf("install node_modules: %w", err)
	}
	aside, err := os.MkdirTemp(tmp, "jstest-")
	if err != nil {
		return fmt.Errorf("install node_modules: %w", err)
	}
	defer os.RemoveAll(aside)
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("install node_modules: %w", err)
		}
		if err := os.WriteFile(filepath.Join(aside, name), data, 0o644); err != nil {
			return fmt.Errorf("install node_modules: %w", err)
		}
	}
	cmd := exec.Command(npm, "ci")
	cmd.Dir = aside
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm ci for internal/jstest: %w\n%s", err, output.Bytes())
	}
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(modules); err == nil && !installed(dir) {
		if err := os.Rename(modules, filepath.Join(aside, "outdated")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("replace node_modules: %w", err)
		}
	}
	if err := os.Rename(filepath.Join(aside, "node_modules"), modules); err != nil && !installed(dir) {
		return fmt.Errorf("install node_modules: %w", err)
	}
	return nil
}

// installed reports whether every dependency of package.json is there at exactly its version.
func installed(dir string) bool {
	var want struct{ Dependencies map[string]string }
	if readJSON(filepath.Join(dir, "package.json"), &want) != nil {
		return false
	}
	for name, version := range want.Dependencies {
		var got struct{ Version string }
		path := filepath.Join(dir, "node_modules", filepath.FromSlash(name), "package.json")
		if readJSON(path, &got) != nil || got.Version != version {
			return false
		}
	}
	return true
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}
