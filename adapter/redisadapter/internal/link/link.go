// Package link is what the Redis adapters need of Redis, and of a client library
// for it: a few methods, so that a cluster runs in memory in tests.
//
// A [Driver] publishes, and opens connections that listen. Such a connection does
// not come back by itself once it is lost: whoever listens opens another and says
// again what is to be heard, and so knows exactly when nothing was.
package link

import (
	"context"
	"errors"
)

// Kind is a kind of subscription.
type Kind uint8

// The kinds of subscriptions: SUBSCRIBE, PSUBSCRIBE and SSUBSCRIBE.
const (
	Channel Kind = iota
	Pattern
	Shard
)

// A Sub is a subscription.
type Sub struct {
	Kind Kind
	Name string // a channel, or a pattern
}

// An Event is something that a [Listener] has received.
type Event struct {
	Type EventType
	Sub  Sub // that a message came by, or that is confirmed

	Channel, Payload string // of a message
}

// EventType is what an [Event] is.
type EventType uint8

// The types of events.
const (
	Message      EventType = iota
	Subscribed             // Sub is in force
	Unsubscribed           // Sub is not any more
	Pong
)

// An Outgoing is a message to be published.
type Outgoing struct {
	Channel string
	Payload []byte
	Shard   bool // by SPUBLISH
}

// An Outcome is what became of an [Outgoing]: the number of connections that
// Redis gave it to, or one of the values below.
type Outcome int

// Outcomes of messages that Redis has not confirmed.
const (
	Unanswered Outcome = -1 // on its way, but no answer came: it may have been published
	Refused    Outcome = -2 // Redis has refused it
	Unsent     Outcome = -3 // it has not been sent and may be tried again
)

// ErrRefused is in errors that trying again soon does not help with: a wrong
// password, or a command or channel that is not permitted.
var ErrRefused = errors.New("refused")

// A Driver reaches Redis. Its methods are safe for concurrent use, and return
// when ctx ends.
type Driver interface {
	// Listen opens a connection for subscriptions.
	Listen(ctx context.Context) (Listener, error)
	// Publish publishes messages in their order, also with regard to calls
	// before. It does not repeat what may have been published. The error, if
	// any, is the reason for the outcomes.
	Publish(ctx context.Context, batch []Outgoing) ([]Outcome, error)
	// NumSub returns how many connections have a subscription.
	NumSub(ctx context.Context, sub Sub) (int, error)
	// Close closes what Publish and NumSub use. Listeners are closed on their own.
	Close() error
}

// A Listener is a connection with subscriptions. Receive is called by one
// goroutine; the other methods are safe for concurrent use.
type Listener interface {
	// Subscribe and Unsubscribe ask for changes. That they are in force is an
	// event.
	Subscribe(ctx context.Context, subs ...Sub) error
	Unsubscribe(ctx context.Context, subs ...Sub) error
	// Ping asks for a Pong.
	Ping(ctx context.Context) error
	// Receive waits for the next event. After an error, or Close, there is none
	// any more.
	Receive(ctx context.Context) (Event, error)
	// Close closes the connection, whatever it is doing.
	Close() error
}
