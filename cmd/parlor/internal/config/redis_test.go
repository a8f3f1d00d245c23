package config

import (
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestRedisFlags(t *testing.T) {
	accepted(t, map[string]acceptance{
		"none": {check: func(c *Config) bool { return !c.HasRedis() && c.Prefix == "socket.io" && c.Adapter == PubSub }},
		"one":  {args: "--redis=redis://u:p@h:1/2", check: func(c *Config) bool { o := c.Target().Single; return o.Addr == "h:1" && o.DB == 2 && o.Password == "p" }},
		"the port": {args: "--redis=rediss://h", check: func(c *Config) bool {
			t := c.Target()
			return t.Single.Addr == "h:6379" && t.TLS() != nil && !t.HasPassword()
		}},
		"a socket": {args: "--redis=unix:///run/r.sock", check: func(c *Config) bool { return c.Target().Single.Addr == "/run/r.sock" && !c.Target().Remote() }},
		"IPv6":     {args: "--redis=redis://[::1]:1", check: func(c *Config) bool { return !c.Target().Remote() }},
		"options":  {args: "--redis=redis://h?dial_timeout=1s&pool_size=3", check: func(c *Config) bool { return c.Target().Single.PoolSize == 3 }},
		"Sentinel": {args: "--redis=redis://s:q@h:1/3?master_name=m&addr=h2:2&password=p", check: func(c *Config) bool {
			o := c.Target().Sentinel
			return o.MasterName == "m" && o.DB == 3 && len(c.Target().Addresses()) == 2 && c.Target().HasPassword()
		}},
		"Cluster": {args: "--redis=redis://u:p@h:1?addr=h2:2", check: func(c *Config) bool {
			return reflect.DeepEqual(c.Target().Addresses(), []string{"h:1", "h2:2"}) && c.Target().HasPassword()
		}},
		"sharded":     {args: "--redis=redis://h --redis-adapter=sharded", check: func(c *Config) bool { return c.Adapter == Sharded }},
		"prefix":      {args: "--redis=redis://h --redis-prefix=shop:eu", check: func(c *Config) bool { return c.Prefix == "shop:eu" }},
		"instance":    {args: "--instance=eu-1_a", check: func(c *Config) bool { return c.Instance == "eu-1_a" }},
		"environment": {env: map[string]string{"PARLOR_REDIS": "redis://h", "PARLOR_REDIS_ADAPTER": "sharded", "PARLOR_REDIS_PREFIX": "x"}, check: func(c *Config) bool { return c.Redis == Redis{URL: "redis://h", Adapter: Sharded, Prefix: "x"} }},
	})
}

// What is wrong is said without any part of an address: "p4ss" is in every one
// that is refused here.
func TestRedisFlagsRefused(t *testing.T) {
	const (
		notOne  = "--redis (PARLOR_REDIS): is not an address of Redis; write it like redis://user:password@host:6379/0, with % and two digits for / ? # @ % in a password"
		scheme  = "--redis (PARLOR_REDIS): does not begin with redis://, rediss:// (TLS) or unix://; write it like redis://user:password@host:6379/0"
		options = "--redis (PARLOR_REDIS): has a database that is not a number, or an option after the ? that is not known or has a bad value; write it like redis://user:password@host:6379/0?dial_timeout=1s"
	)
	tests := []struct{ args, want string }{
		{"--redis=p4ss", notOne},
		{"--redis=p4ss:6379", notOne},
		{"--redis=redis://", notOne},
		{"--redis=redis:///0", notOne},
		{"--redis=redis://:p4ss/x@h", notOne},
		{"--redis=redis://:12#p4ss@h", notOne},
		{"--redis=redis://:p4ss%zz@h", notOne},
		{"--redis=http://:p4ss@h", scheme},
		{"--redis=redis+tls://:p4ss@h", scheme},
		{"--redis=unix://", options},
		{"--redis=redis://:12?p4ss@h", options},
		{"--redis=redis://:p4ss@h/x", options},
		{"--redis=redis://:p4ss@h/1/2", options},
		{"--redis=redis://:p4ss@h?dial_timeout=soon", options},
		{"--redis=redis://:p4ss@h?addr=nothing", options},
		{"--redis=redis://:p4ss@h?master_name=m&addr=nothing", options},
		{"--redis=redis://:p4ss@h?master_name=", "--redis (PARLOR_REDIS): has an empty master_name; give the name that Sentinel has for the master"},
		{"--redis=unix://:p4ss@/r?master_name=m", "--redis (PARLOR_REDIS): is a socket of this machine and has other addresses too; Sentinel and Cluster begin with redis:// or rediss://"},
		{"--redis=", "--redis (PARLOR_REDIS): is given, but empty; give a value, or leave it out"},
		{"--redis-password-file=f", "--redis-password-file (PARLOR_REDIS_PASSWORD_FILE): has no effect without a Redis; give --redis (PARLOR_REDIS) too"},
		{"--redis=redis://h --redis-password-file=", "--redis-password-file (PARLOR_REDIS_PASSWORD_FILE): is given, but empty; give a value, or leave it out"},
		{"--redis=redis://:p4ss@h --redis-password-file=f", "--redis-password-file (PARLOR_REDIS_PASSWORD_FILE): is given together with a password in --redis (PARLOR_REDIS); leave one of them out"},
		{"--redis-adapter=sharded", "--redis-adapter (PARLOR_REDIS_ADAPTER): has no effect without a Redis; give --redis (PARLOR_REDIS) too"},
		{"--redis-prefix=x", "--redis-prefix (PARLOR_REDIS_PREFIX): has no effect without a Redis; give --redis (PARLOR_REDIS) too"},
		{"--redis=redis://:p4ss@h --redis-adapter=streams", `--redis-adapter (PARLOR_REDIS_ADAPTER): "streams" is none of the values there are; use one of pubsub, sharded`},
		{"--redis=redis://:p4ss@h --redis-prefix=", "--redis-prefix (PARLOR_REDIS_PREFIX): is given, but empty; give a value, or leave it out"},
		{"--redis=redis://:p4ss@h --redis-prefix={x}", `--redis-prefix (PARLOR_REDIS_PREFIX): "{x}" holds '{'; use letters, digits and . _ : / - alone`},
		{"--instance=", "--instance (PARLOR_INSTANCE): is given, but empty; give a value, or leave it out"},
		{"--instance=a.b", `--instance (PARLOR_INSTANCE): "a.b" holds '.'; use letters, digits, - and _ alone`},
		{"--instance=" + strings.Repeat("a", 65), "--instance (PARLOR_INSTANCE): has 65 characters; 64 are enough"},
		{"serve redis://:p4ss@h", "unexpected argument redis://… (parlor serve --help lists what there is)"},
		{"--chat-rate=redis://:p4ss@h", `--chat-rate (PARLOR_CHAT_RATE): "redis://…" is not a whole number; write it like 100`},
	}
	for _, test := range tests {
		t.Run(test.args, func(t *testing.T) {
			clearEnv(t)
			command, err := Parse(strings.Fields(test.args), io.Discard)
			if err == nil {
				t.Fatalf("accepted: %+v", command)
			}
			if err.Error() != test.want {
				t.Errorf("\n got %s\nwant %s", err, test.want)
			}
			if strings.Contains(err.Error(), "p4ss") {
				t.Errorf("it shows the password: %s", err)
			}
		})
	}
}
