// Package parlor_test guards the module as a whole.
package parlor_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/seed3686fee0/parlor"

// A ban keeps packages from importing others, also by way of a third. The
// imports of a module go one way:
//
//	cmd → namespaces → auth → server → adapter → server/packet
//	server → server/engine, adapter/redisadapter → adapter, cmd → adapter/redisadapter
type ban struct {
	packages string            // a pattern of go list
	imports  map[string]string // what, or what begins with it and a slash → why not
	only     string            // of the module nothing but this, and why
	because  string
}

var bans = []ban{
	{
		packages: "./server/packet/...",
		only:     "server/packet internal/msgjson",
		because:  "the codec is a leaf: adapters and other parsers use it without a server",
	},
	{
		packages: "./server",
		only:     "server adapter",
		because:  "the library does not depend on what is built with it, nor on a parser that is an option",
		imports: map[string]string{
			"go.opentelemetry.io":            "who traces gives the server package otelparlor; others do not link it",
			"github.com/vmihailenco/msgpack": "MessagePack is for those who give the server its parser, packet/msgpack; others do not link it",
		},
	},
	{
		packages: "./server/engine/...",
		only:     "server/engine",
		because:  "Engine.IO knows nothing of Socket.IO, so that it can carry something else and be tested alone",
	},
	{
		packages: "./adapter",
		only:     "adapter server/packet",
		because:  "an adapter never sees the server: the namespace is an interface to it, so that a fake can stand there",
	},
	{
		packages: "./adapter/adaptertest",
		only:     "adapter server/packet",
		because:  "the kit tests any adapter and must not bring a server, or another adapter, along",
	},
	{
		packages: "./internal/msgjson",
		only:     "internal/msgjson server/packet",
		because:  "it turns one text into another, for whoever has packets",
	},
	{
		packages: "./adapter/redisadapter/...",
		only:     "adapter server/packet internal/msgjson",
		because:  "an adapter never sees the server, whatever carries its messages",
		imports: map[string]string{
			"github.com/prometheus/client_golang": "the adapter has Stats; what they are exported to is the program's affair",
		},
	},
	{
		packages: "./server/...",
		only:     "server adapter internal/msgjson",
		because:  "the library does not depend on what is built with it",
		imports: map[string]string{
			"github.com/redis/go-redis":           "Redis is one adapter among others, and the choice of whoever makes the server",
			"github.com/golang-jwt/jwt":           "who may connect is a question for middleware",
			"github.com/MicahParks/keyfunc":       "who may connect is a question for middleware",
			"github.com/prometheus/client_golang": "the library has Stats; what they are exported to is the program's affair",
			"github.com/sirupsen/logrus":          "the library logs through the *slog.Logger that it is given",
			"github.com/alecthomas/kong":          "flags are the command's",
		},
	},
	{
		packages: "./auth/...",
		only:     "auth server adapter",
		because:  "auth is middleware on the public API: it is of use in front of any namespace",
		imports: map[string]string{
			"github.com/redis/go-redis":           "what tokens are verified with is in memory",
			"github.com/sirupsen/logrus":          "the library logs through the *slog.Logger that it is given",
			"github.com/prometheus/client_golang": "metrics are the command's",
			"github.com/alecthomas/kong":          "flags are the command's",
		},
	},
	{
		packages: "./namespaces/...",
		only:     "namespaces server adapter internal/static",
		because:  "ready-made namespaces are built on the public API alone, as a user's are; internal/static knows nothing of the server",
		imports: map[string]string{
			"github.com/sirupsen/logrus":          "namespaces log through the server's logger",
			"github.com/prometheus/client_golang": "metrics are the command's",
		},
	},
}

// TestImports asks the go command what every package depends on.
func TestImports(t *testing.T) {
	for _, b := range bans {
		for _, line := range list(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", b.packages) {
			rel, own := strings.CutPrefix(line, module+"/")
			if own && !within(rel, strings.Fields(b.only)) {
				t.Errorf("%s imports %s: %s", b.packages, rel, b.because)
			}
			for path, why := range b.imports {
				if within(line, []string{path}) {
					t.Errorf("%s imports %s: %s", b.packages, line, why)
				}
			}
		}
	}
}

// TestDirectImports is about what a package may not name itself, though what it
// imports may.
func TestDirectImports(t *testing.T) {
	for _, b := range []ban{
		{packages: "./namespaces/...", imports: map[string]string{
			module + "/server/engine": "a namespace that needs the engine needs something that the public API lacks",
		}},
		{packages: "./auth/...", imports: map[string]string{
			module + "/server/engine": "middleware that needs the engine needs something that the public API lacks",
		}},
		{packages: "./server/...", imports: map[string]string{
			module + "/adapter/redisadapter": "adapters are given to the server",
		}},
	} {
		for _, line := range list(t, "-f", "{{join .Imports \"\\n\"}}", b.packages) {
			for path, why := range b.imports {
				if within(line, []string{path}) {
					t.Errorf("%s imports %s: %s", b.packages, line, why)
				}
			}
		}
	}
}

// within reports whether a path is one of the roots or below one.
func within(path string, roots []string) bool {
	for _, root := range roots {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return false
}

func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // Output returns it as it is
			t.Fatalf("go list %q: %v\n%s", args, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}
