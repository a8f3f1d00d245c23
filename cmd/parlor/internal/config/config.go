// Package config reads what the parlor command is told: its flags and the
// environment.
//
// The names in [Config] are an interface that scripts rely on. Every flag has
// an environment variable, PARLOR_ and the flag's name in capitals with "-" as
// "_"; the flag wins where both are given.
package config

import (
	"net/netip"
	"time"
)

// EnvPrefix begins the name of every environment variable that is read.
const EnvPrefix = "PARLOR"

// Config is what `parlor serve` runs with. One struct describes the flags, the
// environment and the defaults, so that the three cannot drift apart.
//
// A Config that comes from [Parse] is valid. It is a value to read: nothing
// changes it afterwards.
type Config struct {
	Addr string `default:":3000" help:"Address to listen on, host:port."`
	Path string `default:"/socket.io/" help:"Path of the Socket.IO endpoint."`

	PingInterval time.Duration `default:"25s" help:"Time between two heartbeats."`
	PingTimeout  time.Duration `default:"20s" help:"Time a client has to answer a heartbeat."`
	MaxPayload   int64         `default:"1000000" help:"Largest message a client may send, in bytes."`

	CorsOrigin   []string       `help:"Origin of a web page that may connect, like https://app.example.com, or * for any. Repeatable. Without one, no CORS headers are sent and WebSocket origins are not checked." name:"cors-origin" placeholder:"ORIGIN"`
	TrustedProxy []netip.Prefix `help:"Network, in CIDR form, of a proxy whose X-Forwarded-For header is believed. Repeatable." name:"trusted-proxy" placeholder:"CIDR"`

	TLSCert string `help:"File with the certificate chain, PEM. Needs --tls-key." name:"tls-cert" placeholder:"FILE"`
	TLSKey  string `help:"File with the certificate's private key, PEM. Needs --tls-cert." name:"tls-key" placeholder:"FILE"`

	Auth       `embed:""`
	QueryToken bool  `help:"Also accept a token from the query of the URL, ?token=. URLs end up in logs." name:"auth-query-token"`
	Anonymous  *bool `help:"Allow users without a token. They are as long as no key is configured, and with one only when this is given." negatable:""`

	ChatRate       int   `default:"10" help:"Messages a second a socket may send; 0 for no limit."`
	ChatHistory    int   `default:"100" help:"Messages kept for each room; 0 for none."`
	ChatRooms      int   `default:"100" help:"Rooms a socket may be in."`
	ChatMessageMax int64 `default:"8192" help:"Longest chat message, in bytes."`
	ChatFileMax    int64 `default:"524288" help:"Largest file sent to a room, in bytes."`

	Redis `embed:""`

	LogLevel  string `default:"info" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat string `default:"text" help:"How log lines look: text or json."`
}

// TLS reports whether the server speaks TLS itself.
func (c *Config) TLS() bool { return c.TLSCert != "" }

// AllowsAnonymous reports whether users without a token may connect.
func (c *Config) AllowsAnonymous() bool {
	if c.Anonymous != nil {
		return *c.Anonymous
	}
	return !c.HasKey()
}
