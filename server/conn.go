package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/server/engine"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A conn is one Engine.IO session with the sockets that it carries, one a
// namespace. It is the session's engine.Receiver.
type conn struct {
	// Static.
	server  *Server
	session *engine.Session
	origin  *origin

	// Owned by the session's reader.
	decoder packet.MessageDecoder
	budget  *budget // nil until something limits what is sent

	mu        sync.Mutex
	closed    bool
	moved     bool          // the session has moved to another transport
	leaving   bool          // the server is being drained: nothing new is begun
	share     uint8         // static: which of the server's flows counts its events
	detached  int32         // handlers that are at work and hold up no inbox
	slots     []slot        // few: a connection is in a namespace or two
	refused   int32         // CONNECTs
	asked     int32         // bytes of CONNECTs of a connection that is not admitted
	refusedAt time.Time     // the last CONNECT that was refused
	pending   int           // events in the inboxes
	bytes     int           // and their size
	space     chan struct{} // closed when the inboxes have room again; nil: the reader does not wait
	timer     *time.Timer   // of the connect timeout; nil once a socket has been admitted
	awaited   *time.Timer   // of the attachments of a packet
}

// refusalMemory is for how long a refused CONNECT counts, from the last one on:
// a client that asks again now and then is no attacker.
const refusalMemory = time.Minute

// A slot is a namespace that the connection is in, is about to be in, or
// has left with handlers still at work.
type slot struct {
	name   string
	socket *Socket
}

// attachmentTimeout is how long the attachments of a packet may take.
const attachmentTimeout = 10 * time.Second

var (
	errUnexpected     = errors.New("packet for a namespace that the connection is not in")
	errConnectTwice   = errors.New("second CONNECT to a namespace")
	errConnectTimeout = errors.New("no CONNECT in time")
	errNamespaces     = errors.New("too many namespaces")
	errAskedMuch      = errors.New("CONNECT payloads too large")
	errRefusedOften   = errors.New("refused too many times")
	errAttachments    = errors.New("attachments took too long")
)

// open is the engine's hook for a new session.
func (s *Server) open(x *engine.Session, r *http.Request) engine.Receiver {
	c := &conn{
		server:  s,
		session: x,
		origin:  newOrigin(r, s.engine.ClientAddr(r)),
		share:   uint8(s.counts.conns.Add(1)),
		decoder: s.decoder(),
	}
	c.mu.Lock() // the timer may fire at once
	c.timer = time.AfterFunc(s.config.connectTimeout, c.connectTimeout)
	c.mu.Unlock()
	return c
}

func (c *conn) connectTimeout() {
	c.mu.Lock()
	idle := c.timer != nil && !slices.ContainsFunc(c.slots, func(s slot) bool { return s.socket.live() })
	c.mu.Unlock()
	if idle {
		c.fail(errConnectTimeout)
	}
}

// Text implements engine.Receiver.
func (c *conn) Text(data []byte) {
	p, err := c.decoder.Text(data)
	switch {
	case err != nil:
		c.fail(err)
	case p == nil && c.socket(c.decoder.Pending().Namespace) == nil:
		c.fail(errUnexpected)
	case p == nil:
		c.await()
	default:
		c.packet(p, len(data))
	}
}

// Binary implements engine.Receiver.
func (c *conn) Binary(data []byte) {
	p, err := c.decoder.Binary(data)
	switch {
	case err != nil:
		c.fail(err)
	case p != nil:
		c.arrived()
		c.packet(p, p.Size())
	}
}

// await gives the attachments of a packet their time.
func (c *conn) await() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.awaited = time.AfterFunc(attachmentTimeout, func() { c.fail(errAttachments) })
	}
}

func (c *conn) arrived() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.awaited != nil {
		c.awaited.Stop()
		c.awaited = nil
	}
}

// fail ends the connection for a fault of the client's, as Node does: by a
// close of the session, which its sockets see as "forced close".
func (c *conn) fail(err error) {
	c.server.config.logger.Debug("connection closed", "error", err)
	c.session.Close(engine.ForcedClose)
}

// packet acts on a packet, on the session's reader.
func (c *conn) packet(p *packet.Packet, size int) {
	c.received(p)
	var s *Socket
	if p.Type != packet.Connect {
		if s = c.socket(p.Namespace); s == nil {
			c.fail(errUnexpected)
			return
		}
	}
	if l := c.server.limits.Load(); rated(l) && !c.affords(l, cost(p), size) {
		c.tooFast(l, s, p)
		return
	}
	switch p.Type {
	case packet.Connect:
		c.connect(p)
	case packet.Event:
		if list := c.server.observers.load(); list != nil {
			s.ns.tell(list, func(o Observer) { o.Received(s, p.Args) })
		}
		c.enqueue(&inbound{socket: s, packet: p, size: size})
	case packet.Ack:
		s.resolve(p.ID, p.Args)
	case packet.Disconnect:
		s.close(ClientNamespaceDisconnect, nil, false)
	}
}

// socket returns the socket of a namespace, if it has been admitted.
func (c *conn) socket(name string) *Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.slots {
		if s.name == name && s.socket.live() {
			return s.socket
		}
	}
	return nil
}

// connect begins to admit the client to a namespace. What runs the
// application's code runs in the socket's inbox, not here.
func (c *conn) connect(p *packet.Packet) {
	s := newSocket(c, p.Args.At(0))
	c.mu.Lock()
	c.vacate(p.Namespace)
	if c.timer != nil { // nobody has admitted it yet
		c.asked += int32(p.Size())
	}
	switch {
	case c.closed || c.leaving:
		c.mu.Unlock()
		return
	case slices.ContainsFunc(c.slots, func(s slot) bool { return s.name == p.Namespace }):
		c.mu.Unlock()
		c.fail(errConnectTwice)
		return
	case c.asked > maxConnect:
		c.mu.Unlock()
		c.fail(errAskedMuch)
		return
	case p.Size() > maxConnect:
		c.mu.Unlock()
		c.refuse(p.Namespace, "CONNECT payload too large", nil)
		return
	case over(len(c.slots)+1, c.server.limits.Load().NamespacesPerConnection):
		c.mu.Unlock()
		c.refuse(p.Namespace, "too many namespaces", nil)
		c.fail(errNamespaces)
		return
	}
	c.slots = append(c.slots, slot{p.Namespace, s})
	s.running = true
	c.server.running.add() // while the connection is open: Shutdown waits from its end on
	c.mu.Unlock()
	ns, dynamic := c.server.find(p.Namespace)
	if ns == nil && !dynamic {
		c.release(s)
		c.refuse(p.Namespace, invalidNamespace, nil)
		c.rested() // its turn to be drained may have come meanwhile
		c.server.running.done()
		return
	}
	s.ns = ns
	c.server.workers.run(job{s, p.Namespace})
}

// vacate waits, where a place is wanted that a socket has left, until it is
// through with its handlers: one connection has no more of them at work than it
// has places, and a namespace's disconnect handlers run before its connect
// handlers do again. The caller holds mu, which is given up meanwhile.
func (c *conn) vacate(namespace string) {
	limit := c.server.limits.Load().NamespacesPerConnection
	wanted := func(s slot) bool {
		return s.socket.state.Load() == socketClosed && (s.name == namespace || over(len(c.slots)+1, limit))
	}
	for !c.closed && slices.ContainsFunc(c.slots, wanted) {
		space := make(chan struct{})
		c.space = space
		c.mu.Unlock()
		<-space
		c.mu.Lock()
	}
}

const invalidNamespace = "Invalid namespace"

// refuse sends CONNECT_ERROR. The connection stays open, for a few times.
func (c *conn) refuse(namespace, message string, data any) {
	args, err := packet.NewArgs(connectError{message, data})
	if err != nil {
		c.server.config.logger.Error("data of a connect error cannot be encoded", "namespace", namespace, "error", err)
		args, _ = packet.NewArgs(connectError{message, nil}) // a string
	}
	c.send(&packet.Packet{Type: packet.ConnectError, Namespace: namespace, Args: args}, 0)
	c.mu.Lock()
	if now := time.Now(); now.Sub(c.refusedAt) > refusalMemory {
		c.refused, c.refusedAt = 0, now
	} else {
		c.refusedAt = now
	}
	c.refused++
	often := over(int(c.refused), c.server.limits.Load().RefusedConnects)
	c.mu.Unlock()
	if often {
		c.fail(errRefusedOften)
	}
}

// send encodes a packet for this connection alone.
func (c *conn) send(p *packet.Packet, f engine.Flags) {
	if c.queue(p, f) {
		c.session.Flush()
	}
}

// queue is send for a caller that holds a lock, and calls the session's Flush
// later if the result says so.
func (c *conn) queue(p *packet.Packet, f engine.Flags) (flush bool) {
	enc, err := c.server.wire.encode(p)
	if err != nil { // arguments have been encoded already
		c.server.config.logger.Error("packet cannot be encoded", "namespace", p.Namespace, "error", err)
		return false
	}
	c.sent(p)
	return c.session.Send(f, enc.messages...)
}

// admit raises what the client may send. It may use that as soon as it has
// read its CONNECT. The caller holds mu.
func (c *conn) admit() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	c.asked = 0
	c.session.Admit()
}

// release takes the slot of a socket that is through with its handlers.
func (c *conn) release(s *Socket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slots = slices.DeleteFunc(c.slots, func(x slot) bool { return x.socket == s })
	if c.space != nil {
		close(c.space)
		c.space = nil
	}
}

// sockets returns those that have been admitted or are about to be.
func (c *conn) sockets() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]*Socket, 0, len(c.slots))
	for _, s := range c.slots {
		list = append(list, s.socket)
	}
	return list
}

// Closed implements engine.Receiver.
func (c *conn) Closed(reason engine.Reason, err error) {
	c.mu.Lock()
	c.closed = true
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if c.awaited != nil {
		c.awaited.Stop()
		c.awaited = nil
	}
	if c.space != nil {
		close(c.space)
		c.space = nil
	}
	c.mu.Unlock()
	for _, s := range c.sockets() {
		s.close(Reason(reason), err, false)
	}
}

// Upgraded implements engine.Mover.
func (c *conn) Upgraded() {
	var live []*Socket
	c.mu.Lock()
	c.moved = true
	list := c.server.observers.load()
	if list != nil {
		for _, s := range c.slots {
			if s.socket.live() {
				live = append(live, s.socket)
			}
		}
	}
	c.mu.Unlock()
	for _, s := range live {
		s.ns.tell(list, func(o Observer) { o.Upgraded(s) })
	}
}

// disconnect ends all sockets and then the session, after what is queued.
func (c *conn) disconnect() {
	for _, s := range c.sockets() {
		s.Disconnect(false)
	}
	c.session.Close(engine.ForcedClose)
}

// connectError is the payload of CONNECT_ERROR; data is left out when there is
// none, which a client can tell from null.
type connectError struct {
	message string
	data    any
}

func (e connectError) AppendJSON(dst []byte) ([]byte, error) {
	args, err := packet.NewArgs(e.message, e.data)
	if err != nil {
		return dst, err
	}
	dst = args.At(0).AppendJSON(append(dst, `{"message":`...))
	if e.data != nil {
		dst = args.At(1).AppendJSON(append(dst, `,"data":`...))
	}
	return append(dst, '}'), nil
}

// matchTimeout is how long the match of a dynamic namespace may take.
const matchTimeout = time.Second

// withTimeout runs f with a context of d and waits for it until then; f may go
// on after that, and only Shutdown waits for it.
func (s *Server) withTimeout(d time.Duration, f func(ctx context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	s.running.add()
	go func() {
		defer s.running.done()
		defer cancel()
		f(ctx)
	}()
	<-ctx.Done()
}
