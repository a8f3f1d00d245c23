package bench

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// A Load is what the clients do once they are connected.
type Load string

// The loads.
const (
	Storm     Load = "storm"     // connect, all at once
	Idle      Load = "idle"      // stay, and answer heartbeats
	Broadcast Load = "broadcast" // some send to their room, everyone in it receives
	Echo      Load = "echo"      // each sends to a room of its own, and receives it
	Flood     Load = "flood"     // the same, without waiting for anything
	Acks      Load = "acks"      // each sends, and is acknowledged
)

// Loads are all of them.
var Loads = []Load{Storm, Idle, Broadcast, Echo, Flood, Acks}

// sends reports whether there is traffic after connecting.
func (l Load) sends() bool { return l != Storm && l != Idle }

// A Transport is how the clients hold their connections.
type Transport string

// The transports.
const (
	WebSocket Transport = "websocket"
	Polling   Transport = "polling"
	Upgrade   Transport = "upgrade" // polling first, then WebSocket
)

// Transports are all of them.
var Transports = []Transport{WebSocket, Polling, Upgrade}

// Options say what to run. [Run] refuses those that make no sense with an
// [*OptionError].
type Options struct {
	// Targets are the servers' Engine.IO endpoints, http or https; the connections are
	// dealt out to them in turn.
	Targets   []*url.URL
	Namespace string // "/chat"
	Transport Transport
	Header    http.Header // of every request
	TLS       *tls.Config // for https

	// Auth are the payloads of CONNECT, JSON objects, dealt out in turn; none: no payload.
	Auth []json.RawMessage

	Load        Load
	Connections int
	Senders     int     // of a broadcast load
	Rooms       int     // of a broadcast load; members and senders are dealt out to them in turn
	Dialing     int     // how many connect at the same time; 0: all
	ConnectRate float64 // connections begun a second; 0: as soon as others are done
	From        int     // memory a connection is the slope from this many on

	// Rate is of events sent a second, by all senders together. 0: a broadcast load is one
	// burst, an echo is sent when that before it is back, and so is an event that is
	// acknowledged. A flood has none.
	Rate     float64
	Count    int           // events a sender; 0: as many as Duration allows
	Duration time.Duration // of sending, or of staying idle
	Settle   time.Duration // between connecting and sending
	Timeout  time.Duration // for connecting, and for what has not come when the last event is sent

	// Join is the event that puts a client into its room, empty for none, with the
	// arguments JoinPayload. JoinAck: the server acknowledges it.
	Join, JoinPayload string
	JoinAck           bool
	// Event is what clients send, with the arguments Payload, and Expect what then comes.
	// Both payloads are templates: see [templateFields].
	Event, Payload, Expect string
	Size                   int // of {{data}}, in bytes; it is never less than [MinSize]

	// PIDs are the server's processes on this machine, Metrics addresses that tell its CPU
	// time and memory in Prometheus' format. At most one of the two is of use.
	PIDs    []int
	Metrics []*url.URL

	// Progress is called now and then, from one goroutine at a time, and a last time
	// before [Run] returns. It may be nil.
	Progress func(Progress)
	// Every is the time between two calls, and between two samples of the report; 0: 250 ms.
	Every time.Duration
	// Version is that of the program, for the report.
	Version string
}

// An OptionError is an option that cannot be used.
type OptionError struct {
	Option  string // "join-payload", as the flag is called
	Problem string
}

// Error implements error.
func (e *OptionError) Error() string { return e.Option + ": " + e.Problem }

func optionError(option, format string, args ...any) error {
	return &OptionError{option, fmt.Sprintf(format, args...)}
}

// senders is how many of n connected clients send.
func (o *Options) senders(n int) int {
	if o.Load == Broadcast {
		return min(n, o.Senders)
	}
	return n
}

// room is the number of the room of a client.
func (o *Options) room(client int) int {
	if o.Load == Broadcast {
		return client % max(1, o.Rooms)
	}
	return client
}

// openLoop reports whether events are sent by a schedule.
func (o *Options) openLoop() bool { return o.Load != Flood && o.Rate > 0 }

// closedLoop reports whether an event is sent when that before it has come.
func (o *Options) closedLoop() bool {
	return (o.Load == Echo || o.Load == Acks) && o.Rate <= 0
}
