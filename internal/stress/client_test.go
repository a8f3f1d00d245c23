package stress

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// margin is how many messages before its last one a client that was away asks for
// again: those of other instances may arrive a little out of the order of their ids.
const margin = 30

// errSilent is a server that does not answer in time.
var errSilent = errors.New("the server does not answer")

// A client is a person with a token in one room, who comes back as socket.io-client
// does, sends again what was not acknowledged, and asks for what he has missed.
type client struct {
	name, token string
	addr        string
	http        *http.Client // of who polls; nil for a WebSocket
	room        *room
	backoff     backoff
	every       time.Duration // between two messages

	quiet <-chan struct{} // no new messages from now on

	// Owned by run.
	sent    int
	pending string // the clientMsgId of what is not acknowledged; empty: nothing is
	ids     []string

	mu     sync.Mutex
	joined bool
	idle   bool // joined, all acknowledged, and quiet
	seen   map[string]bool
	trips  []trip
	again  int // messages that were sent again
	late   int // messages that came by the history
	wrong  []string
}

// A trip is a time away.
type trip struct{ gone, back time.Time }

// A backoff is that of socket.io-client: doubled with each attempt, and up to half
// of it more or less.
type backoff struct{ least, most time.Duration }

func (b backoff) delay(attempt int) time.Duration {
	d := float64(b.least) * float64(int(1)<<min(attempt, 20))
	return min(time.Duration(d*(0.5+rand.Float64())), b.most)
}

// A message is what the server makes of one.
type message struct {
	ID          string `json:"id"`
	ClientMsgID string `json:"clientMsgId"`
}

// An answer is what an acknowledgement has, of any event.
type answer struct {
	OK       bool
	ID       string
	History  []message
	Messages []message
	More     bool
	Error    struct{ Code string }
}

// run keeps the client connected until ctx is done.
func (c *client) run(ctx context.Context) {
	var gone time.Time
	for attempt := 0; ; attempt++ {
		joined := c.connect(ctx, gone)
		c.set(func() { c.joined, c.idle = false, false })
		if joined {
			gone, attempt = time.Now(), 0
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(c.backoff.delay(attempt)):
		}
	}
}

func (c *client) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// A talk is one connection of a client.
type talk struct {
	*client
	link     link
	incoming chan string // closed with the connection
	done     chan struct{}
	live     map[string]bool
	acks     int
}

// connect is one connection, from its beginning to its end; joined is whether it has
// come as far as into the room.
func (c *client) connect(ctx context.Context, gone time.Time) (joined bool) {
	var l link
	var err error
	if c.http != nil {
		l, err = dialPolling(ctx, c.http, c.addr)
	} else {
		l, err = dialWebSocket(ctx, c.addr)
	}
	if err != nil {
		return false
	}
	t := &talk{client: c, link: l, incoming: make(chan string, 64), done: make(chan struct{}), live: make(map[string]bool)}
	var reading sync.WaitGroup
	reading.Go(t.read)
	defer reading.Wait()
	defer close(t.done)
	defer l.close()
	if t.enter(ctx) != nil {
		return false
	}
	c.set(func() {
		c.joined = true
		if !gone.IsZero() {
			c.trips = append(c.trips, trip{gone, time.Now()})
		}
	})
	t.chat(ctx)
	return true
}

// read passes on what comes, and answers heartbeats.
func (t *talk) read() {
	defer close(t.incoming)
	for {
		texts, err := t.link.next()
		if err != nil {
			return
		}
		for _, text := range texts {
			switch text {
			case "2":
				if t.link.send("3") != nil {
					return
				}
			case "1", "6":
			default:
				select {
				case t.incoming <- text:
				case <-t.done:
					return
				}
			}
		}
	}
}

// enter connects to the namespace, joins the room and asks for what was missed.
func (t *talk) enter(ctx context.Context) error {
	if err := t.link.send(`40{"token":"` + t.token + `"}`); err != nil {
		return err
	}
	if _, err := t.until(ctx, "40{"); err != nil {
		return err
	}
	in, err := t.call(ctx, fmt.Sprintf(`["join",{"room":%q}]`, t.room.name))
	if err != nil {
		return err
	}
	known := t.ids
	t.catchUp(in.History)
	if len(known) == 0 {
		return nil // it was never there
	}
	for after := known[max(0, len(known)-margin)]; ; {
		page, err := t.call(ctx, fmt.Sprintf(`["history",{"room":%q,"after":%q,"limit":100}]`, t.room.name, after))
		if err != nil {
			return err
		}
		t.catchUp(page.Messages)
		if !page.More || len(page.Messages) == 0 {
			return nil
		}
		after = page.Messages[len(page.Messages)-1].ID
	}
}

// chat sends a message every so often, the next when the last one is acknowledged,
// until the connection ends.
func (t *talk) chat(ctx context.Context) {
	quiet := t.quiet
	next := time.NewTimer(time.Duration(rand.Int64N(int64(t.every))))
	defer next.Stop()
	if t.pending != "" {
		t.set(func() { t.again++ })
		next.Reset(0)
	}
	for {
		select {
		case <-quiet:
			quiet = nil
		case <-next.C:
			if t.pending == "" && quiet == nil {
				break
			}
			if t.pending == "" {
				t.sent++
				t.pending = t.name + "-" + strconv.Itoa(t.sent)
			}
			got, err := t.call(ctx, fmt.Sprintf(`["message",{"room":%q,"content":"hello","clientMsgId":%q}]`, t.room.name, t.pending))
			if err != nil {
				return
			}
			t.room.acknowledged(t.pending, got.ID)
			t.pending = ""
			next.Reset(t.every/2 + time.Duration(rand.Int64N(int64(t.every))))
		case text, ok := <-t.incoming:
			if !ok {
				return
			}
			t.take(text)
		case <-ctx.Done():
			return
		}
		if quiet == nil && t.pending == "" {
			t.set(func() { t.idle = true })
		}
	}
}

// call emits an event and waits for its acknowledgement.
func (t *talk) call(ctx context.Context, event string) (got answer, err error) {
	id := strconv.Itoa(t.acks)
	t.acks++
	if err := t.link.send("42" + id + event); err != nil {
		return got, err
	}
	text, err := t.until(ctx, "43"+id+"[")
	if err != nil {
		return got, err
	}
	args := []*answer{&got}
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "43"+id)), &args); err != nil {
		t.complainf("%s is answered with %s: %v", event, text, err)
		return got, err
	}
	if !got.OK {
		t.complainf("%s is answered with %s", event, text)
		return got, errors.New(got.Error.Code)
	}
	return got, nil
}

// until waits for a packet that begins with prefix, and takes what comes before it.
func (t *talk) until(ctx context.Context, prefix string) (string, error) {
	late := time.NewTimer(connectTimeout)
	defer late.Stop()
	for {
		select {
		case text, ok := <-t.incoming:
			if !ok {
				return "", errClosed
			}
			if strings.HasPrefix(text, prefix) {
				return text, nil
			}
			t.take(text)
		case <-late.C:
			return "", errSilent
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// take takes an event. No message may come twice on a connection.
func (t *talk) take(text string) {
	body, ok := strings.CutPrefix(text, `42["message",`)
	if !ok {
		return
	}
	var m message
	if err := json.Unmarshal([]byte(strings.TrimSuffix(body, "]")), &m); err != nil {
		t.complainf("%s: %v", text, err)
		return
	}
	if t.live[m.ID] {
		t.complainf("%s came twice", text)
	}
	t.live[m.ID] = true
	t.see(m)
}

// catchUp takes what was said meanwhile.
func (t *talk) catchUp(messages []message) {
	for _, m := range messages {
		if t.see(m) {
			t.set(func() { t.late++ })
		}
	}
}

func (t *talk) see(m message) (isNew bool) {
	t.mu.Lock()
	isNew = !t.seen[m.ID]
	t.seen[m.ID] = true
	t.mu.Unlock()
	if isNew {
		t.ids = append(t.ids, m.ID)
		t.room.delivered(m)
	}
	return isNew
}

func (c *client) complainf(format string, args ...any) {
	c.set(func() { c.wrong = append(c.wrong, c.name+": "+fmt.Sprintf(format, args...)) })
}
