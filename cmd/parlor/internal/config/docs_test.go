package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the documentation anew")

// The tables of docs/configuration.md are what the flags say.
func TestDocumentation(t *testing.T) {
	const name, begin, end = "../../../../docs/configuration.md", "<!-- settings -->\n", "<!-- end of settings -->"
	page, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no %q, or no %q", name, begin, end)
	}
	want := before + begin + tables(t) + end + after
	switch {
	case want == string(page):
	case *update:
		if err := os.WriteFile(name, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not what the flags say; go generate ./cmd/parlor/internal/config writes it anew", name)
	}
}

func tables(t *testing.T) string {
	t.Helper()
	list, err := Describe()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	group := ""
	for _, s := range list {
		if s.Group == "" || s.Help == "" {
			t.Errorf("--%s: the field needs a group and a help", s.Name)
		}
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&text, "\n### %s\n\n| Flag | Variable | Default | |\n|---|---|---|---|\n", group)
		}
		value, reload := "none", ""
		if s.Default != "" {
			value = "`" + s.Default + "`"
		}
		if s.Reload != "" {
			reload = " SIGHUP: " + s.Reload + "."
		}
		fmt.Fprintf(&text, "| `--%s` | `%s` | %s | %s%s |\n", s.Name, s.Env, value, strings.ReplaceAll(s.Help, "|", `\|`), reload)
	}
	return text.String() + "\n"
}
