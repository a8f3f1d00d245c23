package config

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Bench is `parlor bench`: it puts a load on a server. None of its flags has a
// variable: they are a run's, not a machine's.
type Bench struct {
	Address []string `arg:"" help:"Address of a server, like http://localhost:3000 or, with the namespace, https://chat.example.com/chat. Several are given connections in turn." name:"url" sep:"none"`

	Load      string `default:"echo" env:"-" group:"Load" help:"What clients do: storm (connect), idle, broadcast (some send to a room, all receive), echo (each to itself), flood (the same, without waiting) or acks."`
	Transport string `default:"websocket" env:"-" group:"Load" help:"How they connect: websocket, polling, or upgrade from the one to the other."`

	Connections int           `default:"100" env:"-" group:"Load" help:"How many clients connect." short:"n"`
	Senders     int           `default:"1" env:"-" group:"Load" help:"Clients that send, of a broadcast."`
	Rooms       int           `default:"1" env:"-" group:"Load" help:"Rooms that the clients of a broadcast are dealt out to."`
	Rate        float64       `default:"-1" env:"-" group:"Load" help:"Events a second, by all senders together; 0 for as fast as they can: a broadcast is one burst, and an echo is sent when that before it is back. Without one, each sends five a second." placeholder:"N"`
	Count       int           `default:"0" env:"-" group:"Load" help:"Events each sender sends; 0 for as many as there is time for."`
	Duration    time.Duration `default:"10s" env:"-" group:"Load" help:"How long they send, or stay." short:"d"`
	Settle      time.Duration `default:"1s" env:"-" group:"Load" help:"Time between connecting and sending."`
	Timeout     time.Duration `default:"30s" env:"-" group:"Load" help:"How long a connection may take, and what has not come when all is sent is waited for."`
	Dialing     int           `default:"0" env:"-" group:"Load" help:"How many connect at the same time; without one 64, and all in a storm." placeholder:"N"`
	ConnectRate float64       `default:"0" env:"-" group:"Load" help:"Connections begun a second; 0 for as soon as others are done."`

	Namespace   string `env:"-" group:"Application" help:"Namespace; without one that of the address, or /chat." placeholder:"NAME"`
	Path        string `default:"/socket.io/" env:"-" group:"Application" help:"Path of the Socket.IO endpoint."`
	Join        string `default:"join" env:"-" group:"Application" help:"Event that puts a client into its room; empty for none."`
	JoinPayload string `default:"\"{{room}}\"" env:"-" group:"Application" help:"Its arguments: JSON with {{room}} and {{client}} in it."`
	JoinAck     bool   `default:"true" env:"-" group:"Application" help:"Wait until the join is acknowledged." negatable:""`
	Event       string `default:"message" env:"-" group:"Application" help:"Event that clients send."`
	Payload     string `default:"{\"room\":\"{{room}}\",\"content\":\"{{data}}\"}" env:"-" group:"Application" help:"Its arguments: JSON with {{data}} in it, which is to come back unchanged; also {{room}}, {{client}} and {{seq}}."`
	Expect      string `env:"-" group:"Application" help:"Event that then comes; without one, of the same name." placeholder:"EVENT"`
	Size        int    `default:"64" env:"-" group:"Application" help:"Bytes of {{data}}."`

	Auth     string   `env:"-" group:"Application" help:"What clients authenticate with: a JSON object." placeholder:"JSON" xor:"auth"`
	AuthFile string   `env:"-" group:"Application" help:"File with one a line, dealt out in turn." placeholder:"FILE" xor:"auth"`
	Header   []string `env:"-" group:"Application" help:"Header of each request, Name: value. Repeatable." placeholder:"HEADER" sep:"none"`
	CAFile   string   `env:"-" group:"Application" help:"File with the certificates, PEM, of who has signed the server's." name:"ca-file" placeholder:"FILE"`
	Insecure bool     `env:"-" group:"Application" help:"Take any certificate of the server's."`

	PID     []int    `env:"-" group:"Report" help:"Process of the server on this machine, for its CPU and memory. Repeatable." name:"pid" placeholder:"PID" xor:"pid"`
	Metrics []string `env:"-" group:"Report" help:"Address of the server's metrics (Prometheus), for the same. Repeatable." placeholder:"URL" sep:"none" xor:"pid"`
	From    int      `default:"0" env:"-" group:"Report" help:"Memory a connection is measured from this many on."`
	JSON    bool     `env:"-" group:"Report" help:"Print the report as JSON." name:"json"`
	HTML    string   `env:"-" group:"Report" help:"Write it as a page with plots." name:"html" placeholder:"FILE"`

	// Of [Parse]: the endpoints, the payloads of CONNECT, the headers, and the
	// addresses of Metrics.
	Targets     []*url.URL        `kong:"-"`
	Credentials []json.RawMessage `kong:"-"`
	Headers     http.Header       `kong:"-"`
	MetricsURL  []*url.URL        `kong:"-"`
}

// Help is what `parlor bench --help` says beside the flags.
func (*Bench) Help() string {
	return strings.TrimSpace(`
Puts a load on a Socket.IO 4 server and reports what was delivered, lost, doubled or out of order, the latency, and what
it cost the server. The defaults fit the chat of parlor serve. Use it on servers that are yours.

  parlor bench http://localhost:3000                                       5 events a second from each of 100 clients
  parlor bench http://localhost:3000 --load=storm -n 5000                  5,000 clients connect at once
  parlor bench http://localhost:3000 --load=broadcast -n 500 --rate=40     40 a second to each of 500 clients
  parlor bench http://localhost:3000 --html=report.html --pid=$(pgrep parlor)

The exit code is 0 when all came, once and in order, 3 when not, 2 for a flag that cannot be used, 1 when there was no run.
`)
}

func (b *Bench) validate(map[string]bool) error { return asError(b.check()) }

func (b *Bench) check() *Error {
	for _, check := range []func() *Error{b.checkAddresses, b.checkBounds, b.checkAuth, b.checkHeaders, b.checkMetrics} {
		if err := check(); err != nil {
			return err
		}
	}
	if b.Expect == "" {
		b.Expect = b.Event
	}
	return nil
}

// checkAddresses takes the addresses apart as clients do: their path is the namespace.
func (b *Bench) checkAddresses() *Error {
	if !strings.HasPrefix(b.Path, "/") {
		return &Error{Flag: "--path", Problem: "is to begin with /; write it like /socket.io/"}
	}
	if !strings.HasSuffix(b.Path, "/") {
		b.Path += "/"
	}
	for _, address := range b.Address {
		u, err := url.Parse(address)
		if err == nil {
			u.Scheme = strings.NewReplacer("wss", "https", "ws", "http").Replace(u.Scheme)
		}
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Fragment != "" {
			return &Error{Problem: "\"" + guarded(address) + "\" is not the address of a server; write it like http://localhost:3000"}
		}
		if u.User != nil {
			return &Error{Problem: "the address has a user or a password in it, which everybody can see; give --auth-file, or --header"}
		}
		if path := strings.TrimSuffix(u.Path, "/"); path != "" {
			if b.Namespace != "" && b.Namespace != path {
				return &Error{Problem: "the namespace is " + b.Namespace + " and " + path + "; give one (the path of an address is the namespace, --path is where the server answers)"}
			}
			b.Namespace = path
		}
		u.Path, u.RawPath = b.Path, ""
		b.Targets = append(b.Targets, u)
	}
	if b.Namespace == "" {
		b.Namespace = "/chat"
	}
	if !strings.HasPrefix(b.Namespace, "/") || strings.Contains(b.Namespace, ",") {
		return &Error{Flag: "--namespace", Problem: "is to begin with / and to have no comma; write it like /chat"}
	}
	return nil
}

// Bounds of a load: what is beyond them is a slip, not a load.
const (
	maxClients   = 1_000_000
	maxEventRate = 10_000_000
	maxRun       = 24 * time.Hour
	maxData      = 16 << 20
)

func (b *Bench) checkBounds() *Error {
	for _, bound := range []struct {
		flag       string
		value, max float64
	}{
		{"connections", float64(b.Connections), maxClients},
		{"senders", float64(b.Senders), maxClients},
		{"rooms", float64(b.Rooms), maxClients},
		{"dialing", float64(b.Dialing), maxClients},
		{"rate", b.Rate, maxEventRate},
		{"connect-rate", b.ConnectRate, maxEventRate},
		{"count", float64(b.Count), 1 << 31},
		{"duration", b.Duration.Seconds(), maxRun.Seconds()},
		{"settle", b.Settle.Seconds(), maxRun.Seconds()},
		{"timeout", b.Timeout.Seconds(), maxRun.Seconds()},
		{"size", float64(b.Size), maxData},
	} {
		if math.IsNaN(bound.value) || bound.value > bound.max || bound.value < 0 && bound.flag != "rate" {
			return &Error{Flag: "--" + bound.flag, Problem: "is out of all bounds; give less, and not less than nothing"}
		}
	}
	each := 5.0
	switch {
	case b.Rate >= 0 || b.Load == "flood":
		b.Rate = max(0, b.Rate)
	case b.Load == "broadcast":
		b.Rate = each * float64(min(b.Senders, b.Connections))
	default:
		b.Rate = each * float64(b.Connections)
	}
	if b.Dialing == 0 && b.Load != "storm" {
		b.Dialing = 64
	}
	return nil
}

func (b *Bench) checkAuth() *Error {
	lines, from := []string{b.Auth}, "--auth"
	if b.AuthFile != "" {
		text, err := readFile(b.AuthFile)
		if err != nil {
			return &Error{Flag: "--auth-file", Problem: "\"" + b.AuthFile + "\" cannot be read: " + err.Error()}
		}
		lines, from = strings.Split(text, "\n"), "--auth-file"
	}
	for _, line := range lines {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(line), &object) != nil { // its text may be secret
			return &Error{Flag: from, Problem: "is not a JSON object (in a file: one a line); write it like {\"token\":\"…\"}"}
		}
		b.Credentials = append(b.Credentials, json.RawMessage(line))
	}
	if b.AuthFile != "" && len(b.Credentials) == 0 {
		return &Error{Flag: "--auth-file", Problem: "\"" + b.AuthFile + "\" has nothing in it"}
	}
	return nil
}

func (b *Bench) checkHeaders() *Error {
	b.Headers = http.Header{}
	for _, line := range b.Header {
		name, value, ok := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name+value, "\r\n\x00") || strings.ContainsAny(name, " \t") {
			return &Error{Flag: "--header", Problem: "is not a header; write it like \"Cookie: a=b\""}
		}
		b.Headers.Add(name, strings.TrimSpace(value))
	}
	return nil
}

func (b *Bench) checkMetrics() *Error {
	for _, address := range b.Metrics {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return &Error{Flag: "--metrics", Problem: "is not an address; write it like http://localhost:3000/metrics"}
		}
		b.MetricsURL = append(b.MetricsURL, u)
	}
	for _, pid := range b.PID {
		if pid <= 0 {
			return &Error{Flag: "--pid", Problem: "is not the number of a process"}
		}
	}
	if b.HTML != "" {
		if info, err := os.Stat(b.HTML); err == nil && info.IsDir() {
			return &Error{Flag: "--html", Problem: "\"" + b.HTML + "\" is a directory; name a file"}
		}
	}
	return nil
}
