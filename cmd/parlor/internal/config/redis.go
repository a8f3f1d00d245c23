package config

import (
	"crypto/tls"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Redis says whether there are other instances, and where they meet.
type Redis struct {
	URL string `help:"Address of the Redis that instances share, like redis://user:password@host:6379/0; rediss:// for TLS, unix:// for a socket. Without one, this instance is alone. Everyone can see a command line: a password belongs in --redis-password-file, or in the variable with the rest." name:"redis" placeholder:"URL" secret:"redis"`

	PasswordFile string `help:"File with the password of Redis, where it is not in the URL. With Sentinel it is that of Redis itself." name:"redis-password-file" placeholder:"FILE"`

	Adapter string `default:"pubsub" help:"How instances reach each other: pubsub, or sharded for Redis 7 and later. All have the same." name:"redis-adapter"`
	Prefix  string `default:"socket.io" help:"What channels and keys in Redis begin with: all instances have the same, other applications another." name:"redis-prefix"`

	Instance string `help:"Name of this instance, of letters, digits, - and _. The ids of its sessions begin with it and a dot, by which a load balancer knows where the requests of a session belong. Clients see it." placeholder:"NAME"`
}

// The adapters.
const (
	PubSub  = "pubsub"
	Sharded = "sharded"
)

const redisFlag = "redis"

// RedisPasswordFileFlag is for errors about the file that it names.
const RedisPasswordFileFlag = "redis-password-file"

// HasRedis reports whether there may be other instances.
func (r *Redis) HasRedis() bool { return r.URL != "" }

// A RedisTarget is how Redis is reached: one of the three is set.
type RedisTarget struct {
	Single   *redis.Options
	Sentinel *redis.FailoverOptions
	Cluster  *redis.ClusterOptions
}

// Target returns what the URL says. It is nil unless the Config is valid, and has
// a Redis.
func (r *Redis) Target() *RedisTarget {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil
	}
	target := &RedisTarget{}
	switch query := u.Query(); {
	case query.Has("master_name"):
		target.Sentinel, err = redis.ParseFailoverURL(r.URL)
	case query.Has("addr"):
		target.Cluster, err = redis.ParseClusterURL(r.URL)
	default:
		target.Single, err = redis.ParseURL(r.URL)
	}
	if err != nil {
		return nil
	}
	return target
}

// Addresses are where the URL says that Redis is, without anything secret: a
// password may be in the query too.
func (t *RedisTarget) Addresses() []string {
	switch {
	case t.Sentinel != nil:
		return t.Sentinel.SentinelAddrs
	case t.Cluster != nil:
		return t.Cluster.Addrs
	}
	return []string{t.Single.Addr}
}

// TLS returns how connections are encrypted; nil if they are not.
func (t *RedisTarget) TLS() *tls.Config {
	switch {
	case t.Sentinel != nil:
		return t.Sentinel.TLSConfig
	case t.Cluster != nil:
		return t.Cluster.TLSConfig
	}
	return t.Single.TLSConfig
}

// Remote reports whether a connection may leave this machine.
func (t *RedisTarget) Remote() bool {
	if t.Single != nil && t.Single.Network == "unix" {
		return false
	}
	return slices.ContainsFunc(t.Addresses(), func(address string) bool {
		host, _, err := net.SplitHostPort(address)
		return err != nil || !loopback(host)
	})
}

// SetPassword has Redis be shown another one.
func (t *RedisTarget) SetPassword(password string) {
	switch {
	case t.Sentinel != nil:
		t.Sentinel.Password = password
	case t.Cluster != nil:
		t.Cluster.Password = password
	default:
		t.Single.Password = password
	}
}

// HasPassword reports whether Redis is shown one that is in the URL.
func (t *RedisTarget) HasPassword() bool {
	switch {
	case t.Sentinel != nil:
		return t.Sentinel.Password != ""
	case t.Cluster != nil:
		return t.Cluster.Password != ""
	}
	return t.Single.Password != ""
}

// check refuses what would leave an instance alone that was meant to be one of
// several. No error shows the URL, or a part of it: with one character wrong,
// any part may be of a password.
func (r *Redis) check(given map[string]bool) *Error {
	if !r.HasRedis() {
		if given[redisFlag] {
			return newError(redisFlag, "is given, but empty; give a value, or leave it out")
		}
		for _, name := range []string{"redis-adapter", "redis-prefix", RedisPasswordFileFlag} {
			if given[name] {
				return newError(name, "has no effect without a Redis; give --%s (%s) too", redisFlag, envName(redisFlag))
			}
		}
		return nil
	}
	if err := oneOf("redis-adapter", r.Adapter, PubSub, Sharded); err != nil {
		return err
	}
	if err := r.checkPrefix(); err != nil {
		return err
	}
	if err := r.checkURL(); err != nil {
		return err
	}
	return r.checkPasswordFile(given)
}

// maxInstance is as much of a name as is to be in the URL of every request.
const maxInstance = 64

func (r *Redis) checkInstance(given map[string]bool) *Error {
	const name = "instance"
	if given[name] && r.Instance == "" {
		return newError(name, "is given, but empty; give a value, or leave it out")
	}
	if len(r.Instance) > maxInstance {
		return newError(name, "has %d characters; %d are enough", len(r.Instance), maxInstance)
	}
	for _, c := range r.Instance {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", c) {
			return newError(name, "%q holds %q; use letters, digits, - and _ alone", r.Instance, c)
		}
	}
	return nil
}

func (r *Redis) checkPasswordFile(given map[string]bool) *Error {
	switch {
	case given[RedisPasswordFileFlag] && r.PasswordFile == "":
		return newError(RedisPasswordFileFlag, "is given, but empty; give a value, or leave it out")
	case r.PasswordFile != "" && r.Target().HasPassword():
		return newError(RedisPasswordFileFlag, "is given together with a password in --%s (%s); leave one of them out", redisFlag, envName(redisFlag))
	}
	return nil
}

func (r *Redis) checkURL() *Error {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Opaque != "" || u.Fragment != "" || (u.Host == "" && u.Scheme != "unix"):
		return newError(redisFlag, "is not an address of Redis; write it like redis://user:password@host:6379/0, with %% and two digits for / ? # @ %% in a password")
	case !slices.Contains([]string{"redis", "rediss", "unix"}, u.Scheme):
		return newError(redisFlag, "does not begin with redis://, rediss:// (TLS) or unix://; write it like redis://user:password@host:6379/0")
	case u.Scheme == "unix" && (u.Query().Has("master_name") || u.Query().Has("addr")):
		return newError(redisFlag, "is a socket of this machine and has other addresses too; Sentinel and Cluster begin with redis:// or rediss://")
	}
	target := r.Target()
	switch {
	case target == nil:
		return newError(redisFlag, "has a database that is not a number, or an option after the ? that is not known or has a bad value; write it like redis://user:password@host:6379/0?dial_timeout=1s")
	case target.Sentinel != nil && target.Sentinel.MasterName == "":
		return newError(redisFlag, "has an empty master_name; give the name that Sentinel has for the master")
	}
	return nil
}

// checkPrefix refuses what has a meaning in keys, channels or patterns.
func (r *Redis) checkPrefix() *Error {
	if r.Prefix == "" {
		return newError("redis-prefix", "is given, but empty; give a value, or leave it out")
	}
	for _, c := range r.Prefix {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/-", c) {
			return newError("redis-prefix", "%q holds %q; use letters, digits and . _ : / - alone", r.Prefix, c)
		}
	}
	return nil
}

// secrets are where in a text a password may be: in a URL, before the @ or in its
// query.
var secrets = regexp.MustCompile(`://[^\s"]*`)

// withoutSecrets is for errors that repeat what was given, in the wrong place
// perhaps.
func withoutSecrets(text string) string { return secrets.ReplaceAllString(text, "://…") }
