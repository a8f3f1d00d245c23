package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of the settings. They catch a slipped digit or a wrong unit; within
// them the operator decides.
const (
	minPing        = 10 * time.Millisecond
	maxPing        = 24 * time.Hour // the client keeps interval + timeout in a 32-bit count of milliseconds
	maxPayload     = 1 << 30
	maxConnections = 10_000_000
	maxRate        = 1_000_000
	maxHistory     = 100_000
	maxRooms       = 100_000
	maxLeeway      = time.Hour
	maxDrain       = time.Hour
)

// envName is the variable of a flag.
func envName(flag string) string {
	return EnvPrefix + "_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// Named is how a setting is named to who is to change it.
func Named(name string) string { return "--" + name + " (" + envName(name) + ")" }

// NewError returns the error of a setting whose value turns out to be of no use
// later than [Parse] looks at it.
func NewError(name, format string, args ...any) error { return newError(name, format, args...) }

// newError names the flag and the variable of a setting. Of an address among args, given
// in the wrong place perhaps, what may be secret is left out.
func newError(name, format string, args ...any) *Error {
	for i, arg := range args {
		if text, ok := arg.(string); ok && strings.ContainsAny(text, "@?") {
			args[i] = withoutSecrets(text)
		}
	}
	return &Error{
		Flag:    "--" + name,
		Env:     envName(name),
		Problem: fmt.Sprintf(format, args...),
	}
}

// validate checks what types cannot say, and brings paths, origins and networks
// into their one canonical form. The error is an [*Error].
func (c *Config) validate(given map[string]bool) error {
	checks := []func() *Error{
		func() *Error { return c.checkEmpty(given) },
		func() *Error { return checkAddr("addr", c.Addr) },
		c.checkPath,
		func() *Error { return oneOf("parser", c.Parser, DefaultParser, Msgpack) },
		func() *Error { return between("ping-interval", c.PingInterval, minPing, maxPing) },
		func() *Error { return between("ping-timeout", c.PingTimeout, minPing, maxPing) },
		func() *Error { return between("max-payload", c.MaxPayload, 1, maxPayload) },
		func() *Error { return between("max-connections", c.MaxConnections, 0, maxConnections) },
		func() *Error {
			return between("max-connections-per-address", c.MaxConnectionsPerAddress, 0, maxConnections)
		},
		func() *Error { return between("handshake-rate", c.HandshakeRate, 0, maxRate) },
		func() *Error { return between("max-sockets-per-user", c.MaxSocketsPerUser, 0, maxConnections) },
		func() *Error { return between("event-rate", c.EventRate, 0, maxRate) },
		func() *Error { return between("byte-rate", c.ByteRate, 0, maxPayload) },
		c.checkOrigins,
		c.checkProxies,
		c.checkTLS,
		func() *Error { return c.ACME.check(c.TLSCert != "") },
		func() *Error { return c.Auth.check(given) },
		c.checkAnonymous,
		func() *Error { return c.Redis.check(given) },
		func() *Error { return c.checkInstance(given) },
		func() *Error { return c.Admin.check(c, given) },
		func() *Error { return between("chat-rate", c.ChatRate, 0, maxRate) },
		func() *Error { return between("chat-history", c.ChatHistory, 0, maxHistory) },
		func() *Error { return between("chat-rooms", c.ChatRooms, 1, maxRooms) },
		func() *Error { return between("chat-message-max", c.ChatMessageMax, 1, maxPayload) },
		func() *Error { return between("chat-file-max", c.ChatFileMax, 1, maxPayload) },
		func() *Error { return c.Ops.check(given, &c.Redis) },
		func() *Error { return between("drain-window", c.DrainWindow, 0, maxDrain) },
		func() *Error { return oneOf("log-level", c.LogLevel, "debug", "info", "warn", "error") },
		func() *Error { return oneOf("log-format", c.LogFormat, "text", "json") },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// checkEmpty refuses what would leave a server open that was meant otherwise: an empty
// value, which is a variable that was not filled in.
func (c *Config) checkEmpty(given map[string]bool) *Error {
	for _, setting := range []named{
		{fileFlag, c.File},
		{"cors-origin", strings.Join(c.CorsOrigin, "")},
		{"tls-cert", c.TLSCert},
		{"tls-key", c.TLSKey},
		{"acme-domain", strings.Join(c.ACMEDomain, "")},
	} {
		if given[setting.name] && setting.value == "" {
			return newError(setting.name, "is given, but empty; give a value, or leave it out")
		}
	}
	return nil
}

func between[T int | int64 | time.Duration](name string, value, lowest, highest T) *Error {
	if value < lowest || value > highest {
		return newError(name, "%v is out of range; it is to be from %v to %v", value, lowest, highest)
	}
	return nil
}

func oneOf(name, value string, allowed ...string) *Error {
	if !slices.Contains(allowed, value) {
		return newError(name, "%q is none of the values there are; use one of %s", value, strings.Join(allowed, ", "))
	}
	return nil
}

func checkAddr(name, address string) *Error {
	_, port, err := net.SplitHostPort(address)
	if err != nil || strings.Contains(address, "/") {
		return newError(name, "%q is not an address to listen on; write it like :3000 or 127.0.0.1:3000", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return newError(name, "%q is not a port; it is to be a number from 0 to 65535, 0 for any free one", port)
	} else if n == 0 && port != "0" {
		return newError(name, "%q is not a port; write it without leading zeros", port)
	}
	return nil
}

// checkPath refuses what a request's path cannot be compared with byte by byte.
func (c *Config) checkPath() *Error {
	if !strings.HasSuffix(c.Path, "/") {
		c.Path += "/" // as Node's server does
	}
	for _, r := range c.Path {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._~-", r) {
			return newError("path", "%q holds %q; use letters, digits and / . _ ~ - alone", c.Path, r)
		}
	}
	if c.Path == "/" || !strings.HasPrefix(c.Path, "/") {
		return newError("path", "%q is not a path below /; write it like /socket.io/", c.Path)
	}
	for segment := range strings.SplitSeq(c.Path[1:len(c.Path)-1], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return newError("path", "%q has an empty, . or .. part, which proxies rewrite; write it like /socket.io/", c.Path)
		}
	}
	return nil
}

func (c *Config) checkOrigins() *Error {
	for i, origin := range c.CorsOrigin {
		if origin == "*" {
			continue
		}
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" ||
			strings.Trim(u.Path, "/") != "" || strings.Contains(origin, "*") {
			return newError("cors-origin", "%q is not an origin; write it like https://app.example.com, or * for any", guarded(origin))
		}
		// Browsers send an origin in lower case, without a slash at its end and
		// without the port that the scheme has anyway.
		host := u.Host
		switch u.Scheme {
		case "http":
			host = strings.TrimSuffix(host, ":80")
		case "https":
			host = strings.TrimSuffix(host, ":443")
		}
		c.CorsOrigin[i] = strings.ToLower(u.Scheme + "://" + host)
	}
	return nil
}

func (c *Config) checkProxies() *Error {
	c.TrustedProxy = slices.CompactFunc(c.TrustedProxy, func(a, b netip.Prefix) bool { return a == b })
	for i, prefix := range c.TrustedProxy {
		c.TrustedProxy[i] = prefix.Masked()
	}
	return nil
}

func (c *Config) checkTLS() *Error {
	switch {
	case c.TLSCert != "" && c.TLSKey == "":
		return newError("tls-key", "is missing while --tls-cert is given; give both, or neither")
	case c.TLSKey != "" && c.TLSCert == "":
		return newError("tls-cert", "is missing while --tls-key is given; give both, or neither")
	}
	return nil
}
