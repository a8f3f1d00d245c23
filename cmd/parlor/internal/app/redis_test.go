package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/logging"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// patience is how long a test waits for what never comes.
const patience = 30 * time.Second

// A journal is a log that a test reads while it is written.
type journal struct {
	mu      sync.Mutex
	text    bytes.Buffer
	written chan struct{} // has room for one
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	select {
	case j.written <- struct{}{}:
	default:
	}
	return j.text.Write(p)
}

func (j *journal) count(text string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.text.String(), text)
}

// wait returns when the log has a text so many times.
func (j *journal) wait(t *testing.T, text string, times int) {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for j.count(text) < times {
		select {
		case <-j.written:
		case <-late.C:
			t.Fatalf("the log lacks %q:\n%s", text, &j.text)
		}
	}
}

// What the log says of Redis.
const (
	together = "all instances are one"
	degraded = "degraded: "
)

// A member is an instance of a cluster, in this process.
type member struct {
	addr string
	log  *journal
	stop func() time.Duration
}

func startMember(t *testing.T, args ...string) *member {
	t.Helper()
	m := &member{log: &journal{written: make(chan struct{}, 1)}}
	log := logging.New(m.log, "debug", "text")
	ctx, cancel := context.WithCancelCause(context.Background())
	ready := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	cfg := parse(t, append([]string{"--addr=127.0.0.1:0"}, args...)...)
	begun := time.Now()
	go func() { ended <- Run(ctx, cfg, log.Logger, func(addr net.Addr) { ready <- addr }) }()
	select {
	case err := <-ended:
		t.Fatal(err)
	case a := <-ready:
		m.addr = a.String()
	}
	if took := time.Since(begun); took > startsWithin {
		t.Errorf("it serves after %v", took)
	}
	m.stop = sync.OnceValue(func() time.Duration {
		begun := time.Now()
		cancel(errors.New("the test ends"))
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		took := time.Since(begun)
		log.Close(10 * time.Second)
		return took
	})
	t.Cleanup(func() { m.stop() })
	return m
}

// A person is a connection of somebody.
type person struct {
	t *testing.T
	wire.Session
	ns string // as packets have it
}

func (m *member) enters(t *testing.T, transport, ns, token string) *person {
	t.Helper()
	s := open(t, m.addr, transport)
	t.Cleanup(func() { hangUp(s) })
	p := &person{t, s, ns}
	p.sends("40"+ns+`{"token":"`+token+`"}`, "40"+ns+`{"sid":"*"}`, "42"+ns+`["connected",*`)
	return p
}

// sends says a packet and expects what comes then.
func (p *person) sends(packet string, want ...string) {
	p.t.Helper()
	if err := p.Send(packet); err != nil {
		p.t.Fatal(err)
	}
	p.hears(want...)
}

func (p *person) hears(want ...string) {
	p.t.Helper()
	if err := wire.Expect(p, want...); err != nil {
		p.t.Fatal(err)
	}
}

// awaits passes over what comes until what is wanted does.
func (p *person) awaits(want string) {
	p.t.Helper()
	for {
		got, err := wire.NextMessage(p)
		if err != nil {
			p.t.Fatalf("%v instead of %s", err, want)
		}
		if wire.Match(want, got.Data) {
			return
		}
	}
}

// asks sends an event again and again until it is answered as wanted; whatever
// else comes meanwhile is passed over.
func (p *person) asks(event, want string) {
	p.t.Helper()
	begun := time.Now()
	for {
		if err := p.Send("42" + p.ns + "9" + event); err != nil {
			p.t.Fatal(err)
		}
		for {
			got, err := wire.NextMessage(p)
			if err != nil {
				p.t.Fatal(err)
			}
			answer, ok := strings.CutPrefix(got.Data, "43"+p.ns+"9")
			if !ok {
				continue
			}
			if wire.Match(want, answer) {
				return
			}
			if time.Since(begun) > patience {
				p.t.Fatalf("%s is still answered %s", event, answer)
			}
			break
		}
		time.Sleep(20 * time.Millisecond) // somebody else has to do something first
	}
}

// Two instances are one to their clients: rooms, who is there, presence, direct
// messages and history, on each namespace, by each transport and adapter.
func TestCluster(t *testing.T) {
	rdb := redistest.Start(t)
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	ada := minted(t, secret, "--sub=u1", "--name=Ada")
	grace := minted(t, secret, "--sub=u2", "--name=Grace")
	sharded := map[string][]*redistest.Server{config.Sharded: {rdb}}
	for _, adapter := range []string{config.PubSub, config.Sharded} {
		t.Run(adapter, func(t *testing.T) {
			args := []string{"--redis=redis://" + rdb.Addr, "--redis-adapter=" + adapter, "--redis-prefix=" + adapter, secret}
			one, other := startMember(t, args...), startMember(t, args...)
			one.log.wait(t, together, 1)
			other.log.wait(t, together, 1)
			for _, ns := range []string{"", "/chat,"} {
				for _, transport := range wire.Transports() {
					t.Run(strings.Trim("root"+ns, ",")+" "+transport, func(t *testing.T) {
						talk(t, one.enters(t, transport, ns, ada), other.enters(t, transport, ns, grace), transport, sharded[adapter]...)
					})
				}
			}
			for _, m := range []*member{one, other} {
				if took := m.stop(); took > 5*time.Second {
					t.Errorf("it took %v to stop", took)
				}
				if n := m.log.count("level=error"); n > 0 {
					t.Errorf("%d errors:\n%s", n, &m.log.text)
				}
			}
			if keys := rdb.Do("KEYS", "{"+adapter+"#*}sockets").([]any); len(keys) > 0 {
				t.Errorf("there are sockets in Redis still: %v", keys)
			}
		})
	}
}

// talk has two on two instances talk. The servers are those of the sharded form, in
// which an instance hears of a room a moment after somebody has joined it.
func talk(t *testing.T, ada, grace *person, room string, sharded ...*redistest.Server) {
	ns := ada.ns
	event, ack := "42"+ns, "43"+ns
	const u1, u2 = `{"userId":"u1","user":"Ada","status":"online"}`, `{"userId":"u2","user":"Grace","status":"online"}`
	ada.sends(event+`0["join","`+room+`"]`, ack+`0[{"ok":true,"room":"`+room+`","userCount":1,"users":[`+u1+`],"history":[]}]`)
	ada.sends(event+`1["message",{"room":"`+room+`","text":"first"}]`,
		event+`["message",*"text":"first"*`, ack+`1[{"ok":true,*`)
	if len(sharded) > 0 {
		until(t, "her instance hears of the room", func() bool {
			return slices.ContainsFunc(sharded, func(s *redistest.Server) bool {
				found := s.Do("PUBSUB", "SHARDCHANNELS", "*#/"+strings.Trim(ns, "/,")+"#"+room+"#")
				return len(found.([]any)) > 0
			})
		})
	}

	// The message itself, and that Ada has come, may be on their way still, and come
	// as well, at any time.
	grace.asks(`["join","`+room+`"]`,
		`[{"ok":true,"room":"`+room+`","userCount":2,"users":[`+u1+`,`+u2+`],"history":[{*"text":"first"*}]}]`)
	ada.hears(event + `["user_joined",{"room":"` + room + `","userId":"u2","user":"Grace","userCount":2}]`)
	grace.asks(`["message",{"room":"`+room+`","text":"second"}]`, `[{"ok":true,*`)
	ada.hears(event + `["message",*"from":"u2"*"text":"second"*`)

	grace.asks(`["presence",{"status":"away"}]`, `[{"ok":true}]`)
	ada.hears(event + `["presence",{"userId":"u2","user":"Grace","status":"away","timestamp":*}]`)
	ada.sends(event+`2["who","`+room+`"]`, ack+`2[{"ok":true,"room":"`+room+`","userCount":2,"users":[*"user":"Grace","status":"away"}]}]`)

	ada.sends(event+`3["direct_message",{"to":"u2","content":"psst"}]`,
		event+`["direct_message",*"psst"*`, ack+`3[{"ok":true,"id":*`)
	grace.awaits(event + `["direct_message",*"from":"u1"*"psst"*`)

	hangUp(grace.Session)
	ada.hears(event + `["user_left",{"room":"` + room + `","userId":"u2","user":"Grace","userCount":1}]`)
	ada.asks(`["direct_message",{"to":"u2","content":"gone?"}]`, `[{"ok":true,*"delivered":false*`)
	ada.sends(event+`5["history",{"room":"`+room+`"}]`, ack+`5[{"ok":true,"room":"`+room+`","messages":[{*"first"*},{*"second"*}],"more":false}]`)
}

const cannot = `[{"ok":false,"error":{"code":"internal",*`

// G02, G03: Redis goes and comes back, empty. Nobody is cut off, what needs no
// Redis goes on, what does is refused and not half-done, and when it is back all
// is as before. The log says so once each time.
func TestRedisGoesAndComesBack(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t)
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	args := []string{"--redis=redis://" + rdb.Addr, "--chat-rate=0", secret}
	one, other := startMember(t, args...), startMember(t, args...)
	one.log.wait(t, together, 1)
	other.log.wait(t, together, 1)
	ada := one.enters(t, wire.Websocket, "", minted(t, secret, "--sub=u1", "--name=Ada"))
	linus := one.enters(t, wire.Websocket, "", minted(t, secret, "--sub=u3", "--name=Linus"))
	grace := other.enters(t, wire.Websocket, "", minted(t, secret, "--sub=u2", "--name=Grace"))
	for _, p := range []*person{ada, linus, grace} {
		p.asks(`["join","r"]`, `[{"ok":true,*`)
	}
	linus.hears(`42["user_joined",{"room":"r","userId":"u2",*`)

	for round := 1; round <= 2; round++ {
		rdb.Kill()
		one.log.wait(t, degraded, round)
		other.log.wait(t, degraded, round)
		for i := range 20 {
			ada.asks(`["message",{"room":"r","text":"lost"}]`, cannot)
			ada.sends(fmt.Sprintf(`42["typing",{"room":"r","isTyping":%t}]`, i%2 == 0))
			linus.hears(`42["typing",{"room":"r","userId":"u1",*`)
		}
		for _, event := range []string{
			`["join","another"]`, `["leave","r"]`, `["who","r"]`, `["history",{"room":"r"}]`,
			`["presence",{"status":"away"}]`, `["direct_message",{"to":"u3","content":"lost"}]`,
		} {
			ada.asks(event, cannot)
		}
		ada.sends(`42["cursor_position",{"room":"r","x":1,"y":2}]`)
		linus.hears(`42["cursor_position",*`)
		ada.sends(`451-7["file_upload",{"room":"r","name":"a"},{"_placeholder":true,"num":0}]`)
		if err := ada.SendPackets(wire.Packet{Data: "abc", Binary: true}); err != nil {
			t.Fatal(err)
		}
		ada.hears(`437[{"ok":true,*`)
		linus.hears(`451-["file",*`, "binary *")

		rdb.Restart()
		one.log.wait(t, together, round+1)
		other.log.wait(t, together, round+1)
		for _, p := range []*person{ada, grace} { // each instance tells Redis of its own
			p.asks(`["who","r"]`, `[{"ok":true,"room":"r","userCount":3,*`)
		}
		ada.asks(fmt.Sprintf(`["message",{"room":"r","text":"back %d"}]`, round), `[{"ok":true,*`)
		grace.asks(`["who","r"]`, `[{"ok":true,*`)
		linus.hears(fmt.Sprintf(`42["message",{*"text":"back %d"*`, round))
		ada.asks(`["history",{"room":"r"}]`, fmt.Sprintf(`[{"ok":true,"room":"r","messages":[{*"back %d"*}],"more":false}]`, round))
	}
	for _, p := range []*person{ada, linus, grace} {
		hangUp(p.Session)
	}
	for _, m := range []*member{one, other} {
		m.stop()
		if down, up := m.log.count(degraded), m.log.count(together); down != 2 || up != 3 {
			t.Errorf("the log says %d times that it is degraded, and %d times that it is not", down, up)
		}
	}
	if n := one.log.count("chat state cannot be reached"); n > 20 {
		t.Errorf("%d lines about what the first one says:\n%s", n, &one.log.text)
	}
}

// G01: without Redis at its start an instance serves, says that it is degraded,
// and catches up by itself.
func TestG01RedisAbsentAtBoot(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t)
	rdb.Kill()
	m := startMember(t, "--redis=redis://"+rdb.Addr)
	m.log.wait(t, degraded, 1)
	response, _ := get(t, "http://"+m.addr+"/")
	if response.StatusCode != http.StatusOK {
		t.Errorf("/: %s", response.Status)
	}
	p := m.enters(t, wire.Upgraded, "/chat,", "")
	p.asks(`["join","r"]`, cannot)
	rdb.Restart()
	m.log.wait(t, together, 1)
	p.asks(`["join","r"]`, `[{"ok":true,*`)
	p.asks(`["message",{"text":"hi"}]`, `[{"ok":true,*`)
	hangUp(p.Session)
}

// A Redis that has stopped answering does not hold the end up.
func TestRedisHangsAtTheEnd(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t)
	proxy := redistest.NewProxy(t, rdb.Addr)
	m := startMember(t, "--redis=redis://"+proxy.Addr)
	m.log.wait(t, together, 1)
	p := m.enters(t, wire.Websocket, "", "")
	p.asks(`["join","r"]`, `[{"ok":true,*`)
	proxy.Hole(true)
	hangUp(p.Session)
	if took := m.stop(); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Nothing of what Redis is shown gets into the log.
func TestRedisPasswordIsNotLogged(t *testing.T) {
	t.Parallel()
	const password = "s3cret-of-redis"
	rdb := redistest.Start(t, "--requirepass", password)
	good := startMember(t, "--redis=redis://:"+password+"@"+rdb.Addr)
	good.log.wait(t, together, 1)
	bad := startMember(t, "--redis=redis://:x"+password+"@"+rdb.Addr)
	bad.log.wait(t, degraded, 1)
	file := startMember(t, "--redis=redis://"+rdb.Addr, "--redis-password-file="+keyFile(t, password+"\n"))
	file.log.wait(t, together, 1)
	for _, m := range []*member{good, bad, file} {
		p := m.enters(t, wire.Websocket, "", "")
		p.asks(`["join","r"]`, map[bool]string{true: `[{"ok":true,*`, false: cannot}[m != bad])
		hangUp(p.Session)
		m.stop()
		if m.log.count(password) > 0 {
			t.Errorf("the password is in the log:\n%s", &m.log.text)
		}
		if m.log.count("addresses=") != 1 || m.log.count("adapter=pubsub") != 1 {
			t.Errorf("the log does not say where Redis is:\n%s", &m.log.text)
		}
	}
	if bad.log.count("WRONGPASS") == 0 {
		t.Errorf("the log does not say why:\n%s", &bad.log.text)
	}
}

func TestRedisWarnings(t *testing.T) {
	tests := map[string]struct {
		url  string
		want []string // a part of each
	}{
		"here":               {"redis://127.0.0.1:6379", nil},
		"here, by name":      {"redis://localhost", nil},
		"a socket":           {"unix:///run/redis.sock", nil},
		"elsewhere":          {"redis://redis.example", []string{"not encrypted", "no password"}},
		"with a password":    {"redis://u:p@redis.example:6380/1", []string{"not encrypted"}},
		"with TLS":           {"rediss://u:p@redis.example", nil},
		"with TLS, no user":  {"rediss://redis.example", []string{"no password"}},
		"unchecked TLS":      {"rediss://u:p@redis.example?skip_verify=true", []string{"skip_verify"}},
		"one is elsewhere":   {"redis://127.0.0.1:1?addr=10.0.0.1:1", []string{"not encrypted", "no password"}},
		"a sentinel is here": {"redis://127.0.0.1:1?master_name=m", nil},
		"of Sentinel":        {"redis://s:s@a.example:1?master_name=m&password=p", []string{"not encrypted"}},
	}
	for name, test := range tests {
		got := redisWarnings(parse(t, "--redis="+test.url))
		if len(got) != len(test.want) {
			t.Errorf("%s: %q", name, got)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(got[i], want) || !strings.Contains(got[i], "PARLOR_REDIS") {
				t.Errorf("%s: %q lacks %q", name, got[i], want)
			}
		}
	}
}

// Whoever can ask in Redis learns no tokens.
func TestRedisHandshakesAreDiscreet(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t)
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	token := minted(t, secret, "--sub=u1", "--name=Ada")
	m := startMember(t, "--redis=redis://"+rdb.Addr, secret, "--auth-query-token")
	m.log.wait(t, together, 1)
	s, err := wire.OpenPoll(m.addr, "token="+token)
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp(s)
	connects(t, s, `40{"token":"`+token+`"}`, `40{"sid":"*"}`, `42["connected",*`)

	client := rdb.Client()
	defer client.Close()
	io := server.New(server.WithAdapter(redisadapter.PubSub(client)))
	defer io.Shutdown(context.Background())
	late := time.Now().Add(patience)
	for {
		sockets, err := io.Of("/").FetchSockets(t.Context())
		if err == nil && len(sockets) == 1 {
			if got := fmt.Sprintf("%+v", sockets[0]); strings.Contains(got, token[len(token)/2:]) || !strings.Contains(got, "127.0.0.1") {
				t.Errorf("they are told %s", got)
			}
			return
		}
		if time.Now().After(late) {
			t.Fatalf("FetchSockets: %v, %v", sockets, err)
		}
		time.Sleep(20 * time.Millisecond) // until the two know each other
	}
}

// The chat by way of a Redis Cluster, with each adapter, of Sentinel, and of a Redis
// that permits an instance only what docs/cluster.md says it needs.
func TestRedisForms(t *testing.T) {
	t.Parallel()
	nodes := redistest.StartCluster(t)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(conf, []byte("sentinel monitor it "+strings.Replace(redistest.Start(t).Addr, ":", " ", 1)+" 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := redistest.StartSentinel(t, conf)
	strict := redistest.Start(t)
	strict.Do("ACL", "SETUSER", "parlor", "on", ">pw", "~{socket.io#*", "&socket.io-request#*", "&socket.io-response#*", "&socket.io#*",
		"&socket.io#/#*", "&socket.io#/chat#*",
		"+publish", "+subscribe", "+unsubscribe", "+psubscribe", "+punsubscribe", "+pubsub|numsub", "+ping",
		"+@scripting", "+@read", "+@write", "+time")
	strict.Do("ACL", "SETUSER", "default", "off")
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	ada := minted(t, secret, "--sub=u1", "--name=Ada")
	grace := minted(t, secret, "--sub=u2", "--name=Grace")
	for name, args := range map[string][]string{
		"cluster":  {"--redis=redis://" + nodes[0].Addr + "?addr=" + nodes[1].Addr},
		"sharded":  {"--redis=redis://" + nodes[0].Addr + "?addr=" + nodes[1].Addr, "--redis-adapter=sharded", "--redis-prefix=s"},
		"sentinel": {"--redis=redis://" + sentinel.Addr + "?master_name=it"},
		"user":     {"--redis=redis://parlor:pw@" + strict.Addr},
	} {
		t.Run(name, func(t *testing.T) {
			one, other := startMember(t, append(args, secret)...), startMember(t, append(args, secret)...)
			one.log.wait(t, together, 1)
			other.log.wait(t, together, 1)
			sharded := map[string][]*redistest.Server{"sharded": nodes}[name]
			talk(t, one.enters(t, wire.Websocket, "", ada), other.enters(t, wire.Websocket, "", grace), "r", sharded...)
			talk(t, one.enters(t, wire.Polling, "/chat,", ada), other.enters(t, wire.Polling, "/chat,", grace), "r", sharded...)
		})
	}
}
