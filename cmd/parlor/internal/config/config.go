// Package config reads what the parlor command is told: its flags, the
// environment and a file.
//
// One struct, [Config], is the source of all three and of what is written about
// them: a field is a flag, --chat-rate; a variable, PARLOR_CHAT_RATE, the flag's
// name in capitals with "-" as "_"; and a key of the file, chat-rate. Where a
// setting is given more than once the flag wins over the variable, and the
// variable over the file. The names are an interface that scripts rely on.
//
// To add a setting, add a field with its help, and a check to validate if its
// type allows what makes no sense; go generate then writes the documentation.
// These tags mean something here, beside those of kong:
//
//   - secret: "url" for an address that may have a password or a token in it, "redis"
//     for that of a Redis. Other secrets are not settings: the name of their file is.
//   - reload: what a running server does with a new value on SIGHUP. Settings
//     without it need a restart.
package config

import (
	"net/netip"
	"time"
)

//go:generate go test -run TestDocumentation -update

// EnvPrefix begins the name of every environment variable that is read.
const EnvPrefix = "PARLOR"

// Config is what `parlor serve` runs with.
//
// A Config that comes from [Parse] is valid. It is a value to read: nothing
// changes it afterwards.
type Config struct {
	File string `help:"File with settings, YAML: its keys are the flags' names. Read again on SIGHUP." name:"config" placeholder:"FILE"`

	Listen `embed:"" group:"Connections"`
	ACME   `embed:"" group:"Connections"`

	Auth       `embed:"" group:"Tokens"`
	QueryToken bool  `group:"Tokens" help:"Also accept a token from the query of the URL, ?token=. URLs end up in logs." name:"auth-query-token"`
	Anonymous  *bool `group:"Tokens" help:"Allow users without a token. They are as long as no key is configured, and with one only when this is given." negatable:""`

	Chat  `embed:"" group:"Chat"`
	Redis `embed:"" group:"Several instances"`
	Admin Admin `embed:"" group:"Administration" prefix:"admin-"`
	Ops   `embed:"" group:"Operation"`
	Log   `embed:"" group:"Log"`

	settings []Setting
}

// Listen says where clients connect, and what a connection may do.
type Listen struct {
	Addr string `default:":3000" help:"Address to listen on, host:port."`
	Path string `default:"/socket.io/" help:"Path of the Socket.IO endpoint, matched exactly."`

	Parser string `default:"default" help:"How packets are written: default, which is JSON, or msgpack. All clients need the same: with msgpack those with socket.io-msgpack-parser connect, and no others."`

	PingInterval time.Duration `default:"25s" help:"Time between two heartbeats."`
	PingTimeout  time.Duration `default:"20s" help:"Time a client has to answer a heartbeat."`
	MaxPayload   int64         `default:"1000000" help:"Largest message a client may send, in bytes."`

	MaxConnections int `default:"0" help:"Connections that are let in at a time; those beyond it are refused with 503, and /readyz says that the server is overloaded. 0 for no limit but that of open files." reload:"the new limit holds at once; nobody is let go for it"`

	MaxConnectionsPerAddress int `default:"20000" help:"Connections of an address at a time, of IPv6 a /64 network; one more is refused with 429. Behind a proxy that --trusted-proxy does not name, all clients are one address. 0 for no limit." reload:"the new limit holds at once; nobody is let go for it"`

	HandshakeRate int `default:"2000" help:"Handshakes a second of an address, likewise; what is more is refused with 429. Ten seconds' worth may come at once. 0 for no limit." reload:"the new rate holds at once"`

	MaxSocketsPerUser int `default:"1000" help:"Sockets, one a connection and namespace, that the user of a token may have in the chat at a time, on this instance; one more is refused with too_many_sockets. Who has no token is counted by address alone. 0 for no limit." reload:"the new limit holds for sockets that connect from then on"`

	EventRate int   `default:"0" help:"Events a second a connection may send; what is more waits. Two seconds' worth may come at once. 0 for no limit but the pace at which they are handled." reload:"the new rate holds at once, for all connections"`
	ByteRate  int64 `default:"0" help:"Bytes a second a connection may send, likewise. 0 for no limit." reload:"the new rate holds at once, for all connections"`

	CorsOrigin   []string       `help:"Origin of a web page that may connect, like https://app.example.com, or * for any. Repeatable. Without one, no CORS headers are sent and WebSocket origins are not checked. The server's own pages always may." name:"cors-origin" placeholder:"ORIGIN" reload:"the new origins hold for new requests; WebSockets that are open stay so"`
	TrustedProxy []netip.Prefix `help:"Network, in CIDR form, of a proxy whose X-Forwarded-For header is believed. Repeatable." name:"trusted-proxy" placeholder:"CIDR"`

	TLSCert string `help:"File with the certificate chain, PEM. Needs --tls-key. Both are taken over when they change." name:"tls-cert" placeholder:"FILE" reload:"the file is read again"`
	TLSKey  string `help:"File with the certificate's private key, PEM. Needs --tls-cert." name:"tls-key" placeholder:"FILE" reload:"the file is read again"`
}

// The values of Parser.
const (
	DefaultParser = "default"
	Msgpack       = "msgpack"
)

// Chat says what the ready-made chat allows.
type Chat struct {
	ChatRate       int   `default:"10" help:"Messages a second a socket may send; 0 for no limit." reload:"the new rate holds at once, for all sockets"`
	ChatHistory    int   `default:"100" help:"Messages kept for each room; 0 for none."`
	ChatRooms      int   `default:"100" help:"Rooms a socket may be in."`
	ChatMessageMax int64 `default:"8192" help:"Longest chat message, in bytes."`
	ChatFileMax    int64 `default:"524288" help:"Largest file sent to a room, in bytes."`
}

// Log says what is logged.
type Log struct {
	LogLevel  string `default:"info" help:"Least level that is logged: debug, info, warn or error." reload:"the new level holds at once"`
	LogFormat string `default:"text" help:"How log lines look: text or json."`

	LogPackets bool `help:"Log each packet, in and out, with what is in it: connects, events, acknowledgements with their ids. For development: it shows what people write."`
}

// TLS reports whether the server speaks TLS itself.
func (c *Config) TLS() bool { return c.TLSCert != "" || c.HasACME() }

// AllowsAnonymous reports whether users without a token may connect.
func (c *Config) AllowsAnonymous() bool {
	if c.Anonymous != nil {
		return *c.Anonymous
	}
	return !c.HasKey()
}
