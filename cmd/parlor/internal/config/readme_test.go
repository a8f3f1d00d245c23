package config

import (
	"os"
	"regexp"
	"testing"

	"github.com/alecthomas/kong"
)

// The table in the README names every flag with its variable and its default.
func TestReadmeListsEveryFlag(t *testing.T) {
	readme, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	type row struct{ env, value string }
	listed := map[string]row{}
	for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| `([A-Z_]+)` \\| `?([^`|]+?)`? \\|").FindAllStringSubmatch(string(readme), -1) {
		listed[m[1]] = row{m[2], m[3]}
	}
	parser, err := kong.New(&commandLine{}, kong.DefaultEnvars(EnvPrefix))
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range parser.Model.Children[0].Flags { // of serve
		want := row{flag.Envs[0], flag.Default}
		if want.value == "" {
			want.value = "none"
		}
		if got, ok := listed[flag.Name]; !ok || got != want {
			t.Errorf("--%s: the README says %+v, the command has %+v", flag.Name, got, want)
		}
		delete(listed, flag.Name)
	}
	for name := range listed {
		t.Errorf("--%s: in the README alone", name)
	}
}
