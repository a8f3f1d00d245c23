package server_test

import (
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// What a socket has got since observers know of it is told when it is connected, though it was not yet.
func TestObserverIsToldOfEarlyData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var n notebook
		r.Observe(&tagging{&n})
		r.connect()
		synctest.Wait()
		n.took(t, "connect", "join-room /, own", "connected /, websocket, 1 rooms", "data /, tag")
	})
}

// tagging attaches something to each socket as soon as it hears of it.
type tagging struct{ *notebook }

func (n *tagging) Connected(s *server.Socket) {
	n.notebook.Connected(s)
	s.SetData("tag")
}

// So it is by another goroutine, which is held up until the socket is connected: once.
func TestObserverIsToldOnceOfEarlyData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var n notebook
		r.Observe(&beside{notebook: &n})
		r.connect()
		synctest.Wait()
		n.took(t, "connect", "join-room /, own", "connected /, websocket, 1 rooms", "data /, tag")
	})
}

// beside has another goroutine attach something while CONNECT is sent, under a lock.
type beside struct {
	*notebook
	socket *server.Socket
}

func (n *beside) Connected(s *server.Socket) {
	n.notebook.Connected(s)
	n.socket = s
}

func (n *beside) ReceivedPacket(string, *packet.Packet) {}

func (n *beside) SentPacket(_ string, p *packet.Packet) {
	if p.Type == packet.Connect {
		go n.socket.SetData("tag")
		for range 1000 { // it gets as far as the lock lets it
			runtime.Gosched()
		}
	}
}

// One who begins to observe while a socket is let in, and has seen it without its data
// in a list, is told of that too.
func TestLateObserverIsToldOfEarlyData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var first, late notebook
		r.Observe(&followed{notebook: &first, arrive: func(s *server.Socket) {
			r.Observe(&late)
			for listed := range r.Of("/").Sockets() {
				late.notef("listed with %v", listed.Data())
			}
			s.SetData("tag")
		}})
		r.connect()
		synctest.Wait()
		late.took(t, "connect", "listed with <nil>", "data /, tag")
	})
}

// followed has somebody arrive at each Connected.
type followed struct {
	*notebook
	arrive func(*server.Socket)
}

func (n *followed) Connected(s *server.Socket) {
	n.notebook.Connected(s)
	n.arrive(s)
}
