package main

import (
	"slices"
	"strings"
)

// A load is what is put on each peer, and the figure that is taken from it.
type load struct {
	name, title string
	what        string   // for the reader of the page
	args        []string // of parlor bench
	figure      func(*report) *float64
	unit        string

	bar      float64 // what Parlor's figure is to keep to, 0: nothing
	absolute bool    // the bar is a figure, not a share of Node's

	latency bool // its 99th percentile is of use: events are sent by a schedule, or one at a time
	cluster bool // two instances over Redis
	browser bool // connections have the headers of a browser
	single  bool // one processor or several is a difference: Parlor is measured with one too
	rare    bool // it takes long and varies little: it is run in every second round alone

	seconds float64 // what a run takes, roughly, in the mean of all peers
}

func delivery(r *report) *float64   { return r.Server.CPUPerDelivery }
func connection(r *report) *float64 { return r.Server.CPUPerConnection }
func memory(r *report) *float64     { return r.Server.PerConnection }

const (
	deliveryUnit = "µs CPU a delivery"
	memoryUnit   = "KiB a connection"
)

var loads = []load{
	{
		name: "burst", title: "A burst", what: "2,000 messages to a room of 200, at once",
		args:   []string{"--load=broadcast", "--connections=200", "--rate=0", "--count=2000"},
		figure: delivery, unit: deliveryUnit, bar: 0.065, single: true, seconds: 16,
	},
	{
		name: "paced", title: "A paced broadcast", what: "40 messages a second to a room of 500, for 5 s",
		args:   []string{"--load=broadcast", "--connections=500", "--rate=40", "--duration=5s"},
		figure: delivery, unit: deliveryUnit, bar: 0.65, latency: true, single: true, seconds: 18,
	},
	{
		name: "echo", title: "An echo", what: "100 clients, each sends to itself 500 times, one at a time",
		args:   []string{"--load=echo", "--connections=100", "--rate=0", "--count=500"},
		figure: delivery, unit: deliveryUnit, bar: 0.50, latency: true, single: true, seconds: 5,
	},
	{
		name: "flood", title: "A flood", what: "50 clients, each sends 2,000 to itself without waiting",
		args:   []string{"--load=flood", "--connections=50", "--count=2000"},
		figure: delivery, unit: deliveryUnit, bar: 0.20, single: true, seconds: 6,
	},
	{
		name: "acks", title: "Acknowledgements", what: "100 clients, each sends 500, the next when that before it is acknowledged",
		args:   []string{"--load=acks", "--connections=100", "--rate=0", "--count=500"},
		figure: delivery, unit: "µs CPU an acknowledgement", latency: true, single: true, seconds: 20,
	},
	{
		name: "polling", title: "An echo over long polling", what: "50 clients, each sends to itself 200 times, one at a time: a message a poll",
		args:   []string{"--load=echo", "--connections=50", "--rate=0", "--count=200", "--transport=polling"},
		figure: delivery, unit: deliveryUnit, bar: 0.50, latency: true, single: true, seconds: 9,
	},
	{
		name: "connect", title: "A storm of connections", what: "5,000 clients connect at once and join a room each",
		args:   []string{"--load=storm", "--connections=5000", "--settle=0s"},
		figure: connection, unit: "µs CPU a connection", single: true, seconds: 15,
	},
	{
		name: "redis", title: "Two instances over Redis", what: "the burst, over two instances; both are counted, Redis is not",
		args:   []string{"--load=broadcast", "--connections=200", "--rate=0", "--count=2000"},
		figure: delivery, unit: deliveryUnit, bar: 0.10, cluster: true, seconds: 10,
	},
	{
		name: "memory", title: "Idle connections", what: "the slope from 2,000 to 12,000 connections, in a room each",
		args:   []string{"--load=idle", "--connections=12000", "--from=2000", "--settle=3s", "--duration=1s"},
		figure: memory, unit: memoryUnit, bar: 7, absolute: true, rare: true, seconds: 14,
	},
	{
		name: "browser", title: "Idle connections of browsers", what: "the same, with the headers and cookies that a browser sends",
		args:   []string{"--load=idle", "--connections=12000", "--from=2000", "--settle=3s", "--duration=1s"},
		figure: memory, unit: memoryUnit, browser: true, rare: true, seconds: 14,
	},
}

// command is how a load is run by hand.
func (l *load) command() string {
	text := "parlor bench " + strings.Join(l.args, " ")
	if l.cluster {
		text += " URL1 URL2"
	}
	if l.browser {
		text += " --header=…"
	}
	return text
}

// runs reports whether a peer is put under a load.
func (l *load) runs(p *peer) bool {
	return (!l.cluster || p.redis) && (l.single || p.name != singleName)
}

// browserHeaders are what Chromium sends with a WebSocket handshake, and the cookies
// of an ordinary site: about 800 bytes. The origin is the server's own.
func browserHeaders(origin string) []string {
	return []string{
		"Origin: " + origin,
		"Pragma: no-cache",
		"Cache-Control: no-cache",
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
		"Accept-Encoding: gzip, deflate, br, zstd",
		"Accept-Language: en-GB,en;q=0.9,de;q=0.8",
		"Cookie: session=" + strings.Repeat("0123456789abcdef", 4) + "; theme=dark; _ga=GA1.1.1234567890.1234567890; " +
			"_ga_ABCDEFGHIJ=GS1.1.1234567890.1.1.1234567890.0.0.0; consent=" + strings.Repeat("eyJhbGciOiJub25lIn0", 4) + "; csrf=" + strings.Repeat("89abcdef", 4),
	}
}

func loadNamed(name string) *load {
	if i := slices.IndexFunc(loads, func(l load) bool { return l.name == name }); i >= 0 {
		return &loads[i]
	}
	return nil
}
