package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/internal/interop/nodewire"
	"github.com/zishang520/socket.io-go-redis/adapter"
	"github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/socket"
)

func main() {
	var o options
	flag.StringVar(&o.addr, "addr", "127.0.0.1:0", "where to listen")
	flag.StringVar(&o.redis, "redis", "redis://127.0.0.1:6379", "URL of the cluster's Redis")
	flag.StringVar(&o.prefix, "prefix", "socket.io", "of the adapter's channels")
	flag.StringVar(&o.adapter, "adapter", "classic", "classic or sharded")
	flag.BoolVar(&o.nodewire, "nodewire", false, "classic: give the adapter nodewire.Parser")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

type options struct {
	addr, redis, prefix, adapter string
	nodewire                     bool
}

func run(o options) error {
	at, err := redis.ParseURL(o.redis)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client := types.NewRedisClient(ctx, redis.NewClient(at))
	defer func() { _ = client.Client.Close() }()
	if err := client.On("error", func(...any) {}); err != nil { // Redis is killed at the end of a test
		return err
	}
	config := socket.DefaultServerOptions()
	config.SetAdapter(o.constructor(client))
	io := socket.NewServer(nil, config)
	defer io.Close(nil)
	p, err := newPeer(io)
	if err != nil {
		return err
	}

	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io.ServeHandler(nil))
	hs := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := hs.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fmt.Fprintln(os.Stderr, "interop:", err)
		}
	})
	defer serving.Wait()
	defer hs.Close()

	return p.serve(bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout), "http://"+l.Addr().String())
}

func (o options) constructor(client *types.RedisClient) socket.AdapterConstructor {
	if o.adapter == "sharded" {
		opts := adapter.DefaultShardedRedisAdapterOptions()
		opts.SetChannelPrefix(o.prefix)
		return &adapter.ShardedRedisAdapterBuilder{Redis: client, Opts: opts}
	}
	opts := adapter.DefaultRedisAdapterOptions()
	opts.SetKey(o.prefix)
	if o.nodewire {
		opts.SetParser(nodewire.Parser{})
	}
	return &adapter.RedisAdapterBuilder{Redis: client, Opts: opts}
}

// serve runs the commands, each in a goroutine of its own.
func (p *peer) serve(lines *bufio.Scanner, out *json.Encoder, url string) error {
	var mu sync.Mutex
	answer := func(id int, value any, err error) {
		line := map[string]any{"id": id, "value": shown(value)}
		if err != nil {
			line = map[string]any{"id": id, "error": err.Error()}
		}
		mu.Lock()
		defer mu.Unlock()
		if err := out.Encode(line); err != nil {
			fmt.Fprintln(os.Stderr, "interop:", err)
		}
	}
	answer(-1, url, nil)
	var running sync.WaitGroup
	defer running.Wait()
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		running.Go(func() {
			value, err := p.do(&c)
			answer(c.ID, value, err)
		})
	}
	return lines.Err()
}
