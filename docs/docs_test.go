// Package docs_test keeps what the pages here say working: their Go compiles, and its tests pass, their
// JavaScript parses, and their shell lines run.
package docs_test

import (
	"bytes"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a fragment may use without an import clause, by the name it is used with.
var imports = map[string]string{
	"admin":        "github.com/seed3686fee0/parlor/namespaces/admin",
	"auth":         "github.com/seed3686fee0/parlor/auth",
	"chat":         "github.com/seed3686fee0/parlor/namespaces/chat",
	"context":      "context",
	"errors":       "errors",
	"fmt":          "fmt",
	"http":         "net/http",
	"log":          "log",
	"msgpack":      "github.com/seed3686fee0/parlor/server/packet/msgpack",
	"netip":        "net/netip",
	"os":           "os",
	"prometheus":   "github.com/prometheus/client_golang/prometheus",
	"rand":         "crypto/rand",
	"redis":        "github.com/redis/go-redis/v9",
	"redisadapter": "github.com/seed3686fee0/parlor/adapter/redisadapter",
	"otelparlor":   "github.com/seed3686fee0/parlor/server/otelparlor",
	"regexp":       "regexp",
	"sdktrace":     "go.opentelemetry.io/otel/sdk/trace",
	"server":       "github.com/seed3686fee0/parlor/server",
	"slog":         "log/slog",
	"strings":      "strings",
	"sync":         "sync",
	"time":         "time",
}

// What a fragment that consists of statements may use.
const function = `package main

import (
%s)

func _(ctx context.Context, io *server.Server, ns *server.Namespace, s *server.Socket, args server.Args) error {
%s
	return nil
}
`

const declarations = `package main

import (
%s)

%s
`

// The Go of a page is one package: its programs, which have a package clause, and fragments, which are
// declarations or statements, each a file. They compile, and the tests among them pass.
func TestGo(t *testing.T) {
	for name, page := range pages(t) {
		blocks := fenced(page, "go")
		if len(blocks) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var files []string
			tests := false
			for _, b := range blocks {
				source, suffix := b.text, ""
				if strings.Contains(source, "*testing.T") {
					tests, suffix = true, "_test"
				}
				if !strings.Contains("\n"+source, "\npackage ") {
					source = fragment(source)
				}
				file := filepath.Join(dir, fmt.Sprintf("line%d%s.go", b.line, suffix))
				if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
					t.Fatal(err)
				}
				files = append(files, file)
			}
			// Run from here, their imports are found as this package's are. A fragment may end in a return.
			output(t, "go", append([]string{"vet", "-unreachable=false"}, files...)...)
			if tests {
				output(t, "go", append([]string{"test", "-vet=off"}, files...)...)
			}
		})
	}
}

func fragment(source string) string {
	form := function
	if _, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, parser.SkipObjectResolution); err == nil {
		form = declarations
	}
	code := regexp.MustCompile(`//.*|"[^"\n]*"`).ReplaceAllString(source, "")
	if form == function {
		code += "context. server."
	}
	var used strings.Builder
	for name, path := range imports {
		if regexp.MustCompile(`(^|[^.\w])` + name + `\.`).MatchString(code) {
			fmt.Fprintf(&used, "\t%s %q\n", name, path)
		}
	}
	return fmt.Sprintf(form, used.String(), source)
}

// The JavaScript of the pages parses, as a module's.
func TestJavaScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("install Node.js 20 or newer, and put node on PATH")
	}
	for name, page := range pages(t) {
		for _, b := range fenced(page, "js") {
			file := filepath.Join(t.TempDir(), fmt.Sprintf("%s-line%d.mjs", strings.TrimSuffix(filepath.Base(name), ".md"), b.line))
			if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
			output(t, node, "--check", file)
		}
	}
}

// Links from the pages lead somewhere: to a file, and where they say so to a heading in it.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]*)(#[^)\s]*)?\)`)
	for name, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(prose(page), -1) {
			file, heading := m[1], m[2]
			if strings.Contains(file, "://") {
				continue
			}
			target := page
			if file != "" {
				file = filepath.Join(filepath.Dir(name), filepath.FromSlash(file))
				data, err := os.ReadFile(file)
				if info, dirErr := os.Stat(file); err != nil && (dirErr != nil || !info.IsDir()) {
					t.Errorf("%s: %s: %v", name, m[0], err)
					continue
				}
				target = string(data)
			}
			if heading != "" && !headings(target)[heading] {
				t.Errorf("%s: %s: no such heading", name, m[0])
			}
		}
	}
}

// headings are the anchors of a page, as GitHub makes them.
func headings(page string) map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(prose(page)) {
		if title := strings.TrimLeft(line, "#"); title != line {
			title = strings.ToLower(strings.TrimSpace(title))
			title = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`).ReplaceAllString(title, "")
			all["#"+strings.ReplaceAll(title, " ", "-")] = true
		}
	}
	return all
}

type block struct {
	line int // of its first
	text string
}

// pages are those of this directory, and the READMEs.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	var names []string
	for _, pattern := range []string{"*.md", "../README.md", "../examples/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("find the pages %s: %v, %v", pattern, found, err)
		}
		names = append(names, found...)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(data)
	}
	return all
}

// fenced returns the blocks of a language.
func fenced(page, language string) (blocks []block) {
	inside, number := false, 0
	for line := range strings.Lines(page) {
		number++
		switch {
		case inside && strings.HasPrefix(line, "```"):
			inside = false
		case inside:
			blocks[len(blocks)-1].text += line
		case strings.TrimSpace(line) == "```"+language:
			inside = true
			blocks = append(blocks, block{line: number + 1})
		}
	}
	return blocks
}

// prose is a page without its blocks and its code.
func prose(page string) string {
	page = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(page, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllStringFunc(page, func(code string) string { return strings.Trim(code, "`[]()") })
}

// output runs a command, which has to succeed.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("%s %s: %v\n%s%s", filepath.Base(name), strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}
