package redisstore

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A deafConn loses the answer to the next script, and is lost with it.
type deafConn struct {
	net.Conn

	next *atomic.Bool
	lost atomic.Bool
}

func (c *deafConn) Write(b []byte) (int, error) {
	if bytes.Contains(bytes.ToLower(b), []byte("evalsha")) && c.next.CompareAndSwap(true, false) {
		c.lost.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *deafConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.lost.Load() {
		c.Close()
		return 0, io.EOF
	}
	return n, err
}

// TestClusterTwice: a script whose answer is lost is not sent again, by a client of a
// Redis Cluster neither. It would find a message sent that nobody has been sent.
func TestClusterTwice(t *testing.T) {
	servers := redistest.StartCluster(t)
	var next atomic.Bool
	s := openWith(t, redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: []string{servers[0].Addr}, DisableIdentity: true,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &deafConn{Conn: conn, next: &next}, nil
		},
	}), "/chat", Options{})
	post := func(n uint32) (chat.Receipt, error) {
		id := chat.MakeMessageID(time.UnixMilli(1_700_000_000_000), n, 7)
		return s.Post(background, chat.Post{Room: "r", ID: id, Text: []byte("x"), UserID: "ann", Key: fmt.Sprint("key", n/10)})
	}
	if _, err := post(1); err != nil {
		t.Fatal(err)
	}
	next.Store(true)
	if r, err := post(10); err == nil {
		t.Errorf("a post whose answer was lost: %+v", r)
	}
	r, err := post(11)
	if err != nil || r.Outcome != chat.Accepted {
		t.Errorf("a repeat of what was refused: %+v, %v", r, err)
	}
}
