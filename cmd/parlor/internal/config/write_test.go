package config

import (
	"bytes"
	"io"
	"strings"
	"testing"
)

// What show writes of any valid configuration is a file that serve takes, and that says the same but for what is
// secret. Each setting is in one of these.
func TestShownIsServed(t *testing.T) {
	clearEnv(t)
	shown := map[string]bool{}
	for name, args := range map[string][]string{
		"nothing": nil,
		"numbers": {
			"--addr=:1", "--path=/p", "--ping-interval=1s", "--ping-timeout=90s", "--max-payload=9", "--max-connections=9", "--max-connections-per-address=0", "--handshake-rate=9", "--max-sockets-per-user=9",
			"--event-rate=9", "--byte-rate=9", "--chat-rate=0", "--chat-history=0", "--chat-rooms=9", "--chat-message-max=9", "--chat-file-max=9", "--drain-window=1h",
		},
		"words":               {"--parser=msgpack", "--log-level=debug", "--log-format=json", "--log-packets", "--instance=---"},
		"off":                 {"--admin-ui=false", "--log-packets=false", "--ready-needs-redis=false", "--anonymous"},
		"networks":            {"--trusted-proxy=10.1.2.3/8,fd00::/8", "--cors-origin=*,HTTPS://B.example:443/," + "https://" + strings.Repeat("a.", 60) + "example"},
		"files":               {"--tls-cert=a b", "--tls-key=~", "--ops-addr=:1", "--ops-token-file=" + strings.Repeat("long name/", 20)},
		"an authority":        {"--acme-domain=a.example,b.example", "--acme-cache=c", "--acme-email=a@b.example", "--acme-directory=https://ca.example/@d?key=p4ss"},
		"a secret":            {"--auth-secret-file=null", "--auth-issuer=Null", "--no-anonymous", "--auth-leeway=0", "--auth-query-token"},
		"a key":               {"--auth-public-key-file=- f", `--auth-audience=a b,c\,d,null,# e,f\g,%`},
		"a key set":           {"--auth-jwks-url=https://k.example/@d?token=p4ss", "--admin-api"},
		"Redis":               {"--redis=redis://u:p4ss@h/1?dial_timeout=1s&max_retries=2", "--redis-prefix=1:2", "--ready-needs-redis"},
		"Redis, its password": {"--redis=redis://u@h", "--redis-password-file=f"},
		"Redis Cluster":       {"--redis=rediss://h?addr=h2:1&addr=h3:2&pool_size=9", "--redis-adapter=sharded"},
		"Redis Sentinel":      {"--redis=redis://h?master_name=m&password=p4ss&client_name=p4ss@a"},
		"a socket of Redis":   {"--redis=unix://u:p4ss@/run/redis@1.sock?db=1"},
		"administrators":      {"--admin-ui", "--admin-user=\t~ü\n", "--admin-password-hash-file=true", "--admin-read-only", "--admin-mode=production", "--admin-namespace=/a"},
		"everybody":           {"--admin-ui", "--admin-insecure"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cfg := parseConfig(t, append([]string{"config", "show"}, args...)...)
			if err := cfg.Write(&out); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(out.String(), "p4ss") {
				t.Errorf("it shows a secret:\n%s", &out)
			}
			command, err := Parse([]string{"serve", "--config", write(t, out.String())}, io.Discard)
			if err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			for i, s := range command.(*Config).Settings() {
				before := cfg.settings[i]
				if s.Value != before.Value {
					t.Errorf("%s was %q, and is %q:\n%s", s.Name, before.Value, s.Value, &out)
				}
				shown[s.Name] = shown[s.Name] || before.Source != byDefault
			}
		})
	}
	list, err := Describe()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if !shown[s.Name] {
			t.Errorf("%s is in none of them", s.Name)
		}
	}
}
