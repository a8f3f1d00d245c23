package config

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Credentials, headers and metrics are read before there is a run.
func TestBench(t *testing.T) {
	clearEnv(t)
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("{\"token\":\"a\"}\n\n{\"token\":\"b\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command, err := Parse([]string{"bench", "http://a", "--auth-file=" + tokens, "--header=X-A: b, c", "--header", "Cookie: d=e", "--metrics=http://a/metrics"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	b := command.(*Bench)
	if len(b.Credentials) != 2 || string(b.Credentials[1]) != `{"token":"b"}` || b.Headers.Get("X-A") != "b, c" || b.Headers.Get("Cookie") != "d=e" || len(b.MetricsURL) != 1 {
		t.Errorf("%s %v %v", b.Credentials, b.Headers, b.MetricsURL)
	}
}

// What is said of an address, and what follows from other flags.
func TestBenchAddresses(t *testing.T) {
	clearEnv(t)
	for _, test := range []struct{ args, targets, namespace string }{
		{"http://a:3000", "http://a:3000/socket.io/", "/chat"},
		{"https://a/live/", "https://a/socket.io/", "/live"},
		{"ws://a?tenant=x wss://b", "http://a/socket.io/?tenant=x https://b/socket.io/", "/chat"},
		{"http://a --namespace=/ --path=/ws", "http://a/ws/", "/"},
		{"http://a/x http://b/x --namespace=/x", "http://a/socket.io/ http://b/socket.io/", "/x"},
	} {
		command, err := Parse(append([]string{"bench"}, strings.Fields(test.args)...), io.Discard)
		if err != nil {
			t.Errorf("%s: %v", test.args, err)
			continue
		}
		b := command.(*Bench)
		var targets []string
		for _, u := range b.Targets {
			targets = append(targets, u.String())
		}
		if got := strings.Join(targets, " "); got != test.targets || b.Namespace != test.namespace {
			t.Errorf("%s: %s in %s", test.args, got, b.Namespace)
		}
	}
}

func TestBenchRates(t *testing.T) {
	clearEnv(t)
	for args, want := range map[string]struct {
		rate    float64
		dialing int
	}{
		"":                               {500, 64},
		"--load=acks -n 10":              {50, 64},
		"--load=broadcast":               {5, 64},
		"--load=broadcast --senders=3":   {15, 64},
		"--load=broadcast --rate=0":      {0, 64},
		"--load=flood":                   {0, 64},
		"--load=storm":                   {500, 0},
		"--load=storm --dialing=7":       {500, 7},
		"--rate=0.5 --connect-rate=12.5": {0.5, 64},
	} {
		command, err := Parse(append([]string{"bench", "http://a"}, strings.Fields(args)...), io.Discard)
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if b := command.(*Bench); b.Rate != want.rate || b.Dialing != want.dialing || b.Expect != "message" {
			t.Errorf("%s: rate %v, dialing %d, expect %s", args, b.Rate, b.Dialing, b.Expect)
		}
	}
}

func TestBadBench(t *testing.T) {
	folder := t.TempDir()
	wrong := filepath.Join(folder, "wrong")
	if err := os.WriteFile(wrong, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"":                                    `expected "<url> ..."`,
		"localhost:3000":                      `"localhost:3000" is not the address of a server`,
		"ftp://a":                             `"ftp://a" is not the address of a server`,
		"http://ops:hunter2@a":                "the address has a user or a password in it",
		"http://a/x --namespace=/y":           "the namespace is /y and /x; give one",
		"http://a/x http://a/y":               "the namespace is /x and /y; give one",
		"http://a --namespace=x":              "--namespace: is to begin with /",
		"http://a --path=x":                   "--path: is to begin with /",
		"http://a --duration=5":               `--duration: "5" is not a duration`,
		"http://a --duration=25h":             "--duration: is out of all bounds",
		"http://a --rate=fast":                `--rate: "fast" is not a number; write it like 100 or 0.5`,
		"http://a --rate=NaN":                 "--rate: is out of all bounds",
		"http://a --connect-rate=NaN":         "--connect-rate: is out of all bounds",
		"http://a --connections=-1":           "--connections: is out of all bounds",
		"http://a --auth=hunter2":             "--auth: is not a JSON object",
		"http://a --auth-file=" + wrong:       "--auth-file: is not a JSON object",
		"http://a --auth-file=/dev/null":      `--auth-file: "/dev/null" has nothing in it`,
		"http://a --auth-file=" + folder:      `--auth-file: "` + folder + `" cannot be read`,
		"http://a --auth={} --auth-file=x":    "--auth and --auth-file can't be used together",
		"http://a --header=hunter2":           "--header: is not a header",
		"http://a --metrics=a":                "--metrics: is not an address",
		"http://a --pid=-1":                   "--pid: is not the number of a process",
		"http://a --pid=1 --metrics=http://b": "--pid and --metrics can't be used together",
		"http://a --html=" + folder:           `--html: "` + folder + `" is a directory`,
		"http://a --lod=x":                    "unknown flag --lod, did you mean",
	} {
		t.Run(args, func(t *testing.T) {
			clearEnv(t)
			command, err := Parse(append([]string{"bench"}, strings.Fields(args)...), io.Discard)
			if err == nil {
				t.Fatalf("accepted: %+v", command)
			}
			if !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("\n got %s\nwant %s", err, want)
			}
		})
	}
}
