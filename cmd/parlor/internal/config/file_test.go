package config

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// write makes a file with settings, parlor.yaml in a directory of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "parlor.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func parseConfig(t *testing.T, args ...string) *Config {
	t.Helper()
	command, err := Parse(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	configured, ok := command.(interface{ configured() *Config })
	if !ok {
		t.Fatalf("%q is %T", args, command)
	}
	return configured.configured()
}

// The flag wins over the variable, the variable over the file, the file over the
// default, and each setting knows where it is from.
func TestPrecedence(t *testing.T) {
	clearEnv(t)
	file := write(t, "# a comment\nchat-rate: 1\nchat-rooms: 2\nchat-history: 0\n"+
		"cors-origin: [https://a.example, 'https://b.example']\nping-interval: 3s\nanonymous: true\nredis: redis://u:p4ss@h/1?dial_timeout=1s\n")
	t.Setenv("PARLOR_CONFIG", file)
	t.Setenv("PARLOR_CHAT_ROOMS", "20")
	t.Setenv("PARLOR_CHAT_RATE", "10")
	cfg := parseConfig(t, "serve", "--chat-rate=100")
	if cfg.ChatRate != 100 || cfg.ChatRooms != 20 || cfg.ChatHistory != 0 || cfg.PingInterval != 3*time.Second || !cfg.AllowsAnonymous() ||
		!reflect.DeepEqual(cfg.CorsOrigin, []string{"https://a.example", "https://b.example"}) {
		t.Errorf("got %+v", cfg)
	}
	type value struct{ value, source string }
	want := map[string]value{
		"chat-rate":     {"100", "--chat-rate"},
		"chat-rooms":    {"20", "PARLOR_CHAT_ROOMS"},
		"chat-history":  {"0", file + ":4"},
		"cors-origin":   {"https://a.example,https://b.example", file + ":5"},
		"ping-interval": {"3s", file + ":6"},
		"ping-timeout":  {"20s", "default"},
		"anonymous":     {"true", file + ":7"},
		"tls-cert":      {"", "default"},
		"redis":         {"redis://u:xxxxx@h/1?dial_timeout=1s", file + ":8"},
	}
	for _, s := range cfg.Settings() {
		if w, ok := want[s.Name]; ok && (value{s.Value, s.Source}) != w {
			t.Errorf("%s: %q from %s, want %+v", s.Name, s.Value, s.Source, w)
		}
	}
}

// Another server's variables do not make up for what the file has.
func TestOtherVariables(t *testing.T) {
	clearEnv(t)
	t.Setenv("PARLOR_SERVICE_PORT", "x")
	if cfg := parseConfig(t, "--config", write(t, "")); cfg.Addr != ":3000" {
		t.Errorf("got %+v", cfg)
	}
}

func TestBadFile(t *testing.T) {
	clearEnv(t)
	const listed = " (parlor config sample lists what there is)"
	tests := map[string]struct{ text, want string }{
		"unknown":           {"addr: ':1'\npign-interval: 3s", `:2: unknown key "pign-interval", did you mean "ping-interval"?` + listed},
		"as a variable":     {"CHAT_RATE: 3", `:1: unknown key "CHAT_RATE", did you mean "chat-rate"?` + listed},
		"as a flag":         {"--chat-rate: 3", `:1: unknown key "--chat-rate", did you mean "chat-rate"?` + listed},
		"like nothing":      {"database: x", `:1: unknown key "database"` + listed},
		"the file's name":   {"config: x", `:1: unknown key "config"` + listed},
		"wrong type":        {"\n\nping-interval: 3", `:3: ping-interval: "3" is not a duration; write it like 25s or 1m30s`},
		"out of range":      {"chat-rooms: 0", ":1: chat-rooms: 0 is out of range; it is to be from 1 to 100000"},
		"one of a list":     {"trusted-proxy:\n- 10.0.0.0/8\n- x", `:1: trusted-proxy: "x" is not a network in CIDR form; write it like 10.0.0.0/8, or 10.0.0.1/32 for one address`},
		"not a list":        {"addr: [':1']", ":1: addr: is a list, and there can be one value only"},
		"not a truth":       {"anonymous: maybe", ":1: anonymous: is to be true or false"},
		"nothing":           {"addr:", ":1: addr: has no value; give one, or leave the line out"},
		"nothing in a list": {"cors-origin: [~]", ":1: cors-origin: has something in its list that is not a plain value"},
		"empty":             {"redis: ''", ":1: redis: is given, but empty; give a value, or leave it out"},
		"nested":            {"redis:\n  url: x", ":1: redis: is not a plain value; settings do not nest, and aliases are not followed"},
		"an alias":          {"chat-rate: &a 1\nchat-rooms: *a", ":2: chat-rooms: is not a plain value; settings do not nest, and aliases are not followed"},
		"twice":             {"addr: ':1'\naddr: ':2'", ":2: addr: is given in line 1 already; leave one of them out"},
		"two documents":     {"addr: ':1'\n---\naddr: ':2'", ": has more than one document; leave out what follows the line with ---"},
		"a list":            {"- addr", `:1: is not a list of settings; write one a line, like addr: ":3000"`},
		"not YAML":          {"a: b: c", ": is not YAML: line 1: mapping values are not allowed in this context"},
		"half of a pair":    {"tls-cert: x", "--tls-key (PARLOR_TLS_KEY): is missing while --tls-cert is given; give both, or neither"},
		"too large":         {strings.Repeat("#", maxFile+1), "it is larger than 1048576 bytes, which no configuration is"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file := write(t, test.text)
			want := test.want
			if strings.HasPrefix(want, ":") {
				want = file + want
			}
			if _, err := Parse([]string{"--config", file}, io.Discard); err == nil || !strings.HasSuffix(err.Error(), want) {
				t.Errorf("\n got %v\nwant %s", err, want)
			}
		})
	}
	for _, name := range []string{"/nowhere/parlor.yaml", t.TempDir()} {
		if _, err := Parse([]string{"--config", name}, io.Discard); err == nil || !strings.HasPrefix(err.Error(), "--config (PARLOR_CONFIG): \""+name+"\" cannot be read: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The sample is a file that says the defaults.
func TestSample(t *testing.T) {
	clearEnv(t)
	var sample bytes.Buffer
	if err := WriteSample(&sample); err != nil {
		t.Fatal(err)
	}
	defaults := parseConfig(t)
	if got := parseConfig(t, "--config", write(t, sample.String())).Settings(); !reflect.DeepEqual(got, defaults.Settings()) {
		t.Errorf("the sample as it is: %+v", got)
	}
	var text strings.Builder
	for _, s := range defaults.Settings() {
		_, rest, found := strings.Cut(sample.String(), "\n#"+s.Name+": ")
		if value, _, _ := strings.Cut(rest, "\n"); !found {
			t.Errorf("%s is not in it", s.Name)
		} else if s.Default != "" && !strings.HasPrefix(s.Name, "redis") && !strings.HasPrefix(s.Name, "auth") { // which have no effect alone
			text.WriteString(s.Name + ": " + value + "\n")
		}
	}
	said := parseConfig(t, "--config", write(t, text.String()))
	for i, s := range said.Settings() {
		if s.Value != defaults.settings[i].Value {
			t.Errorf("%s is %q, with what the sample has for a default %q", s.Name, defaults.settings[i].Value, s.Value)
		}
	}
}

// What show writes is a file that says the same, and nothing secret.
func TestWrite(t *testing.T) {
	clearEnv(t)
	file := write(t, "addr: ':4000'\ncors-origin: [https://a.example, https://b.example]\nchat-rate: 5\nauth-jwks-url: https://k.example/?token=p4ss\n")
	t.Setenv("PARLOR_REDIS", "redis://:p4ss@h")
	var out bytes.Buffer
	cfg := parseConfig(t, "config", "show", "--config", file, "--auth-audience=a b", "--ping-interval=60s")
	if err := cfg.Write(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "p4ss") {
		t.Errorf("it shows a secret:\n%s", &out)
	}
	again := parseConfig(t, "--config", write(t, out.String()))
	for i, s := range again.Settings() {
		if s.Name != "redis" && s.Value != cfg.settings[i].Value {
			t.Errorf("%s is %q, and shown as %q", s.Name, cfg.settings[i].Value, s.Value)
		}
	}
	for _, want := range []string{"\naddr: \":4000\"", "# " + file + ":1\n", "# PARLOR_REDIS\n", "# --ping-interval\n", "# default\n", "\n#tls-cert:"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks %q:\n%s", want, &out)
		}
	}
}

// A password that changes is a change, and is not shown.
func TestChanges(t *testing.T) {
	clearEnv(t)
	before := parseConfig(t, "--redis=redis://:p4ss1@h", "--chat-rate=1")
	list := before.Changes(parseConfig(t, "--redis=redis://:p4ss2@h", "--chat-rooms=1"))
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
		if strings.Contains(c.Before+c.Value, "p4ss") {
			t.Errorf("it shows the password: %+v", c)
		}
	}
	if want := []string{"chat-rate", "chat-rooms", "redis"}; !reflect.DeepEqual(names, want) {
		t.Errorf("%q have changed, want %q", names, want)
	}
}
