package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// A shards is a [Driver] for shard channels in a Redis Cluster: each is at the
// master that has its slot, so there is a connection to each of the masters.
type shards struct {
	cluster *redis.ClusterClient // tells where slots are

	mu      sync.Mutex
	clients map[string]*redis.Client // for publishing, by address
	closed  bool
}

func newShards(c *redis.ClusterClient) *shards {
	return &shards{cluster: c, clients: make(map[string]*redis.Client)}
}

// owner returns the client that publishes a channel.
func (d *shards) owner(ctx context.Context, channel string) (*redis.Client, error) {
	node, err := d.cluster.MasterForKey(ctx, channel)
	if err != nil {
		return nil, fmt.Errorf("redis: no master: %w", err)
	}
	return d.client(node)
}

// client returns our own client of a node.
func (d *shards) client(node *redis.Client) (*redis.Client, error) {
	addr := node.Options().Addr
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, net.ErrClosed
	}
	if d.clients[addr] == nil {
		d.clients[addr] = redis.NewClient(own(node))
	}
	return d.clients[addr], nil
}

// Publish implements [Driver]. Messages for one master keep their order.
func (d *shards) Publish(ctx context.Context, batch []Outgoing) ([]Outcome, error) {
	outcomes := make([]Outcome, len(batch))
	places := make(map[*redis.Client][]int)
	var errs []error
	for i, m := range batch {
		outcomes[i] = Unsent
		c, err := d.owner(ctx, m.Channel)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		places[c] = append(places[c], i)
	}
	var (
		mu      sync.Mutex
		working sync.WaitGroup
	)
	for c, places := range places {
		working.Go(func() {
			part, got := make([]Outgoing, len(places)), make([]Outcome, len(places))
			for k, i := range places {
				part[k] = batch[i]
			}
			err := publish(ctx, c, part, got)
			mu.Lock()
			defer mu.Unlock()
			for k, i := range places {
				outcomes[i] = got[k]
			}
			if err != nil {
				errs = append(errs, err)
			}
		})
	}
	working.Wait()
	if len(errs) > 0 {
		d.cluster.ReloadState(ctx) // slots may be elsewhere
		return outcomes, errs[0]
	}
	return outcomes, nil
}

// NumSub implements [Driver]: all who listen to a channel are at its owner.
func (d *shards) NumSub(ctx context.Context, sub Sub) (int, error) {
	c, err := d.owner(ctx, sub.Name)
	if err != nil {
		return 0, err
	}
	return numSub(ctx, c, sub)
}

// Close implements [Driver].
func (d *shards) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	var errs []error
	for _, c := range d.clients {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// silences is after how many pings in a row that one of several connections has
// not answered it is given up: whoever listens to all of them hears the others.
const silences = 3

var errPartSilent = errors.New("redis: a master of the cluster does not answer")

// A parts listens to connections to the masters, as many as there are channels
// at. When one of them is lost all are: what is heard is a state.
type parts struct {
	driver *shards
	ctx    context.Context // until Close
	cancel context.CancelFunc
	events chan heard
	work   sync.WaitGroup

	mu   sync.Mutex
	list map[string]*part // by address
}

type heard struct {
	event Event
	err   error
}

type part struct {
	*listener

	heard  atomic.Bool // something, since the last ping
	silent int         // guarded by parts.mu
}

// Listen implements [Driver].
func (d *shards) Listen(ctx context.Context) (Listener, error) {
	if _, err := d.owner(ctx, homeKey); err != nil {
		return nil, err
	}
	p := &parts{driver: d, events: make(chan heard), list: make(map[string]*part)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p, nil
}

// at returns the connection for a channel.
func (p *parts) at(ctx context.Context, channel string) (*part, error) {
	node, err := p.driver.cluster.MasterForKey(ctx, channel)
	if err != nil {
		return nil, fmt.Errorf("redis: no master: %w", err)
	}
	addr := node.Options().Addr
	p.mu.Lock()
	defer p.mu.Unlock()
	if x := p.list[addr]; x != nil {
		return x, nil
	}
	if p.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	l, err := listen(ctx, own(node))
	if err != nil {
		return nil, err
	}
	x := &part{listener: l}
	x.heard.Store(true)
	p.list[addr] = x
	p.work.Go(func() { p.receive(x) })
	return x, nil
}

func (p *parts) receive(x *part) {
	for {
		e, err := x.Receive(p.ctx)
		x.heard.Store(true)
		select {
		case p.events <- heard{e, err}:
		case <-p.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Subscribe implements [Listener].
func (p *parts) Subscribe(ctx context.Context, subs ...Sub) error {
	for _, s := range subs {
		x, err := p.at(ctx, s.Name)
		if err != nil {
			return err
		}
		if err := x.Subscribe(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Unsubscribe implements [Listener].
func (p *parts) Unsubscribe(ctx context.Context, subs ...Sub) error {
	for _, s := range subs {
		x, err := p.at(ctx, s.Name)
		if err != nil {
			return err
		}
		if err := x.Unsubscribe(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Ping implements [Listener].
func (p *parts) Ping(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, x := range p.list {
		if x.silent++; x.heard.Swap(false) {
			x.silent = 0
		}
		if x.silent >= silences {
			return errPartSilent
		}
		if err := x.Ping(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Receive implements [Listener].
func (p *parts) Receive(ctx context.Context) (Event, error) {
	select {
	case h := <-p.events:
		return h.event, h.err
	case <-p.ctx.Done():
		return Event{}, net.ErrClosed
	case <-ctx.Done():
		return Event{}, ctx.Err()
	}
}

// Close implements [Listener].
func (p *parts) Close() error {
	p.cancel()
	p.mu.Lock()
	var errs []error
	for _, x := range p.list {
		errs = append(errs, x.Close())
	}
	p.mu.Unlock()
	p.work.Wait()
	p.driver.cluster.ReloadState(context.Background()) // it may have ended because slots are elsewhere
	return errors.Join(errs...)
}
