package config

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	clearEnv(t)
	want := &Config{
		Listen: Listen{Addr: ":3000", Path: "/socket.io/", Parser: "default", PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second, MaxPayload: 1_000_000, MaxConnectionsPerAddress: 20_000, HandshakeRate: 2_000, MaxSocketsPerUser: 1000},
		Auth:   Auth{Leeway: 30 * time.Second},
		Chat:   Chat{ChatRate: 10, ChatHistory: 100, ChatRooms: 100, ChatMessageMax: 8192, ChatFileMax: 524_288},
		Redis:  Redis{Adapter: "pubsub", Prefix: "socket.io"},
		Admin:  Admin{Mode: "development", Namespace: "/admin"},
		Log:    Log{LogLevel: "info", LogFormat: "text"},
	}
	for _, args := range [][]string{nil, {"serve"}} {
		got, err := Parse(args, io.Discard)
		if err != nil {
			t.Fatalf("Parse(%q): %v", args, err)
		}
		cfg, ok := got.(*Config)
		if !ok {
			t.Fatalf("Parse(%q) = %T", args, got)
		}
		cfg.settings = nil // see TestSettings
		if !reflect.DeepEqual(cfg, want) {
			t.Errorf("Parse(%q):\n got %+v\nwant %+v", args, cfg, want)
		}
	}
}

func TestParse(t *testing.T) {
	accepted(t, map[string]acceptance{
		"flag without a command":  {args: "--addr=:4000", check: func(c *Config) bool { return c.Addr == ":4000" }},
		"flag and value apart":    {args: "serve --addr [::1]:0", check: func(c *Config) bool { return c.Addr == "[::1]:0" }},
		"environment":             {env: map[string]string{"PARLOR_PING_INTERVAL": "3s"}, check: func(c *Config) bool { return c.PingInterval == 3*time.Second }},
		"the flag wins":           {args: "--chat-rate=7", env: map[string]string{"PARLOR_CHAT_RATE": "8"}, check: func(c *Config) bool { return c.ChatRate == 7 }},
		"zero is a value":         {args: "--chat-rate=0 --chat-history=0", check: func(c *Config) bool { return c.ChatRate == 0 && c.ChatHistory == 0 }},
		"path without last slash": {args: "--path=/ws/v1.0", check: func(c *Config) bool { return c.Path == "/ws/v1.0/" }},
		"origins, repeated": {args: "--cors-origin=https://A.example:443/ --cors-origin=http://localhost:5173", check: func(c *Config) bool {
			return reflect.DeepEqual(c.CorsOrigin, []string{"https://a.example", "http://localhost:5173"})
		}},
		"origins, one variable": {env: map[string]string{"PARLOR_CORS_ORIGIN": "https://a.example,*"}, check: func(c *Config) bool { return reflect.DeepEqual(c.CorsOrigin, []string{"https://a.example", "*"}) }},
		"proxies": {args: "--trusted-proxy=10.1.2.3/8 --trusted-proxy=::1/128", check: func(c *Config) bool {
			return reflect.DeepEqual(c.TrustedProxy, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")})
		}},
		"TLS": {args: "--tls-cert=a --tls-key=b", check: (*Config).TLS},
		"ACME, repeated": {args: "--acme-domain=A.example --acme-domain=b.example --acme-cache=c", check: func(c *Config) bool {
			return c.TLS() && reflect.DeepEqual(c.ACMEDomain, []string{"a.example", "b.example"})
		}},
		"variables of others": {env: map[string]string{"PARLOR_SERVICE_PORT": "x"}, check: func(c *Config) bool { return c.Addr == ":3000" }},
		"everything scripts rely on": {
			args: "serve --addr=:1 --path=/x/ --ping-interval=1s --ping-timeout=1s --max-payload=1 --cors-origin=* --trusted-proxy=::/0 --tls-cert=c --tls-key=k" +
				" --parser=msgpack --chat-rate=1 --chat-history=1 --chat-rooms=1 --chat-message-max=1 --chat-file-max=1 --log-level=debug --log-format=json",
			check: func(c *Config) bool { return c.LogFormat == "json" && c.LogLevel == "debug" && c.Parser == Msgpack },
		},
	})
}

func TestBadInput(t *testing.T) {
	const empty = ": is given, but empty; give a value, or leave it out"
	refused(t, []refusal{
		{args: "--ping-interval=3", want: `--ping-interval (PARLOR_PING_INTERVAL): "3" is not a duration; write it like 25s or 1m30s`},
		{env: "PARLOR_PING_INTERVAL=abc", want: `--ping-interval (PARLOR_PING_INTERVAL): "abc" is not a duration; write it like 25s or 1m30s`},
		{args: "--ping-timeout=-1s", want: `--ping-timeout (PARLOR_PING_TIMEOUT): -1s is out of range; it is to be from 10ms to 24h0m0s`},
		{args: "--parser=json", want: `--parser (PARLOR_PARSER): "json" is none of the values there are; use one of default, msgpack`},
		{args: "--max-payload=1MB", want: `--max-payload (PARLOR_MAX_PAYLOAD): "1MB" is not a whole number; write it like 1000000`},
		{args: "--max-payload=0", want: `--max-payload (PARLOR_MAX_PAYLOAD): 0 is out of range; it is to be from 1 to 1073741824`},
		{args: "--chat-rate=-1", want: `--chat-rate (PARLOR_CHAT_RATE): -1 is out of range; it is to be from 0 to 1000000`},
		{args: "--chat-rate=0.5", want: `--chat-rate (PARLOR_CHAT_RATE): "0.5" is not a whole number; write it like 100`},
		{args: "--chat-rate=99999999999999999999", want: `--chat-rate (PARLOR_CHAT_RATE): "99999999999999999999" is not a whole number; write it like 100`},
		{args: "--chat-rate", want: `--chat-rate (PARLOR_CHAT_RATE): needs a value; it is to be a whole number; write it like 100`},
		{env: "PARLOR_CHAT_ROOMS=", want: `--chat-rooms (PARLOR_CHAT_ROOMS): "" is not a whole number; write it like 100`},
		{args: "--chat-rooms=0", want: `--chat-rooms (PARLOR_CHAT_ROOMS): 0 is out of range; it is to be from 1 to 100000`},
		{args: "--chat-history=100001", want: `--chat-history (PARLOR_CHAT_HISTORY): 100001 is out of range; it is to be from 0 to 100000`},
		{args: "--chat-message-max=0", want: `--chat-message-max (PARLOR_CHAT_MESSAGE_MAX): 0 is out of range; it is to be from 1 to 1073741824`},
		{args: "--chat-file-max=x", want: `--chat-file-max (PARLOR_CHAT_FILE_MAX): "x" is not a whole number; write it like 1000000`},
		{args: "--addr=3000", want: `--addr (PARLOR_ADDR): "3000" is not an address to listen on; write it like :3000 or 127.0.0.1:3000`},
		{env: "PARLOR_ADDR=", want: `--addr (PARLOR_ADDR): "" is not an address to listen on; write it like :3000 or 127.0.0.1:3000`},
		{args: "--addr=:http", want: `--addr (PARLOR_ADDR): "http" is not a port; it is to be a number from 0 to 65535, 0 for any free one`},
		{args: "--addr=:65536", want: `--addr (PARLOR_ADDR): "65536" is not a port; it is to be a number from 0 to 65535, 0 for any free one`},
		{args: "--path=/", want: `--path (PARLOR_PATH): "/" is not a path below /; write it like /socket.io/`},
		{args: "--path=socket.io", want: `--path (PARLOR_PATH): "socket.io/" is not a path below /; write it like /socket.io/`},
		{args: "--path=/a/../b", want: `--path (PARLOR_PATH): "/a/../b/" has an empty, . or .. part, which proxies rewrite; write it like /socket.io/`},
		{args: "--path=//a", want: `--path (PARLOR_PATH): "//a/" has an empty, . or .. part, which proxies rewrite; write it like /socket.io/`},
		{args: "--path=/a?b", want: `--path (PARLOR_PATH): "/a?b/" holds '?'; use letters, digits and / . _ ~ - alone`},
		{args: "--cors-origin=example.com", want: `--cors-origin (PARLOR_CORS_ORIGIN): "example.com" is not an origin; write it like https://app.example.com, or * for any`},
		{args: "--cors-origin=https://a.example/app", want: `--cors-origin (PARLOR_CORS_ORIGIN): "https://a.example/app" is not an origin; write it like https://app.example.com, or * for any`},
		{args: "--cors-origin=https://*.example", want: `--cors-origin (PARLOR_CORS_ORIGIN): "https://*.example" is not an origin; write it like https://app.example.com, or * for any`},
		{args: "--trusted-proxy=10.0.0.1", want: `--trusted-proxy (PARLOR_TRUSTED_PROXY): "10.0.0.1" is not a network in CIDR form; write it like 10.0.0.0/8, or 10.0.0.1/32 for one address`},
		{env: "PARLOR_TRUSTED_PROXY=10.0.0.0/8,x", want: `--trusted-proxy (PARLOR_TRUSTED_PROXY): "x" is not a network in CIDR form; write it like 10.0.0.0/8, or 10.0.0.1/32 for one address`},
		{env: "PARLOR_CONFIG=", want: `--config (PARLOR_CONFIG)` + empty},
		{args: "--config=", want: `--config (PARLOR_CONFIG)` + empty},
		{env: "PARLOR_CORS_ORIGIN=", want: `--cors-origin (PARLOR_CORS_ORIGIN)` + empty},
		{env: "PARLOR_TLS_CERT=", want: `--tls-cert (PARLOR_TLS_CERT)` + empty},
		{env: "PARLOR_TLS_KEY=", want: `--tls-key (PARLOR_TLS_KEY)` + empty},
		{env: "PARLOR_ACME_DOMAIN=", want: `--acme-domain (PARLOR_ACME_DOMAIN)` + empty},
		{args: "--tls-cert=a", want: `--tls-key (PARLOR_TLS_KEY): is missing while --tls-cert is given; give both, or neither`},
		{args: "--tls-key=a", want: `--tls-cert (PARLOR_TLS_CERT): is missing while --tls-key is given; give both, or neither`},
		{args: "--acme-domain=a.example", want: `--acme-cache (PARLOR_ACME_CACHE): is missing while --acme-domain is given; name a directory that is kept, for authorities limit how many certificates one gets`},
		{args: "--acme-domain=a.example --acme-cache=c --tls-cert=a --tls-key=b", want: `--acme-domain (PARLOR_ACME_DOMAIN): is given together with --tls-cert, and a certificate is from one or the other; leave one out`},
		{args: "--acme-cache=c", want: `--acme-cache (PARLOR_ACME_CACHE): has no effect without a name to get a certificate for; give --acme-domain (PARLOR_ACME_DOMAIN) too`},
		{args: "--acme-email=a@b", want: `--acme-email (PARLOR_ACME_EMAIL): has no effect without a name to get a certificate for; give --acme-domain (PARLOR_ACME_DOMAIN) too`},
		{args: "--acme-domain=a.example --acme-cache=c --acme-email=me", want: `--acme-email (PARLOR_ACME_EMAIL): "me" is not an address; write it like ops@example.com`},
		{args: "--acme-domain=a.example --acme-cache=c --acme-directory=http://ca", want: `--acme-directory (PARLOR_ACME_DIRECTORY): "http://ca" is not the address of a directory; write it like https://acme.example.com/directory`},
		{args: "--acme-domain=*.example.com --acme-cache=c", want: `--acme-domain (PARLOR_ACME_DOMAIN): "*.example.com" is not the whole name of a host; write it like chat.example.com, without wildcards, and other letters than a to z as xn--`},
		{args: "--acme-domain=127.0.0.1 --acme-cache=c", want: `--acme-domain (PARLOR_ACME_DOMAIN): "127.0.0.1" is not the whole name of a host; write it like chat.example.com, without wildcards, and other letters than a to z as xn--`},
		{args: "--log-level=loud", want: `--log-level (PARLOR_LOG_LEVEL): "loud" is none of the values there are; use one of debug, info, warn, error`},
		{env: "PARLOR_LOG_FORMAT=xml", want: `--log-format (PARLOR_LOG_FORMAT): "xml" is none of the values there are; use one of text, json`},
		{args: "--pign-interval=3s", want: `unknown flag --pign-interval, did you mean "--ping-interval"? (parlor serve --help lists what there is)`},
		{args: "sevre", want: `unexpected argument sevre (parlor serve --help lists what there is)`},
		{args: "version --addr=:1", want: `unknown flag --addr (parlor serve --help lists what there is)`},
	})
}

func TestVersionIgnoresTheEnvironment(t *testing.T) {
	clearEnv(t)
	t.Setenv("PARLOR_PING_INTERVAL", "abc")
	if command, err := Parse([]string{"version"}, io.Discard); err != nil || command != (Version{}) {
		t.Errorf("Parse = %T, %v", command, err)
	}
}

func TestHelp(t *testing.T) {
	clearEnv(t)
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"-h"}} {
		var out bytes.Buffer
		if _, err := Parse(args, &out); !errors.Is(err, ErrHelp) {
			t.Errorf("Parse(%q): %v", args, err)
		}
		if !strings.Contains(out.String(), "Usage: parlor") {
			t.Errorf("Parse(%q) printed %q", args, out.String())
		}
	}
}

// No error repeats a password or a token, whatever is wrong with the address that it is in, and wherever that was given.
func TestErrorsHaveNoSecrets(t *testing.T) {
	clearEnv(t)
	for _, address := range []string{"http://me:p4ss@host/x", "http://me:p4/ss@host", "http://me:12#p4ss@host", "http://p4ss@host", "://me:p4ss@host", "http://host/x?token=p4ss", "me:p4ss@host"} {
		for name, err := range map[string]*Error{
			"origin":    (&Config{Listen: Listen{CorsOrigin: []string{address}}}).checkOrigins(),
			"key set":   (&Auth{JWKSURL: address}).checkJWKS(),
			"Redis":     (&Redis{URL: address, Adapter: PubSub, Prefix: "p"}).check(nil),
			"authority": (&ACME{ACMEDomain: []string{"a.example"}, ACMECache: "c", ACMEDirectory: address}).check(false),
			"target":    (&Bench{Path: "/", Address: []string{address}}).checkAddresses(),
			"metrics":   (&Bench{Metrics: []string{address}}).checkMetrics(),
		} {
			if err != nil && strings.Contains(err.Error(), "p4") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, args := range []string{"--addr=", "--path=", "--log-level=", "--config=", "--trusted-proxy=", "--chat-rate=", "--acme-cache=c --acme-domain=", "serve ", "serve --"} {
		if _, err := Parse(strings.Fields(args+"http://me:p4ss@host"), io.Discard); err == nil || strings.Contains(err.Error(), "p4") {
			t.Errorf("%s: %v", args, err)
		}
	}
}
