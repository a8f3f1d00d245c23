package chat_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

func annIs(status string) string {
	return `{"userId":"ann","user":"ANN","status":"` + status + `","timestamp":1700000000000}`
}

// A user is as present as the most present of its sockets, and its rooms are told
// each time that one of them says something.
func TestPresenceOfSeveralTabs(t *testing.T) {
	s := open(t, chat.Options{})
	bob, one := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	say := func(p *peer, status, want string) {
		t.Helper()
		match(t, "ack", p.call("presence", `{"status":"`+status+`"}`), `{"ok":true}`)
		match(t, status, bob.want("presence"), annIs(want))
		match(t, "who", bob.call("who", `"r"`), `*{"userId":"ann","user":"ANN","status":"`+want+`"}]}`)
	}
	say(one, "away", "away")
	say(one, "away", "away")
	two := s.as("ann") // comes online, in no room
	match(t, "came", bob.want("presence"), annIs("online"))
	match(t, "came", one.want("presence"), annIs("online"))
	say(two, "offline", "away")
	match(t, "the other tab", one.want("presence"), annIs("away"))
	say(one, "offline", "offline")
	say(two, "away", "away")
	match(t, "the other tab", one.want("presence"), annIs("away"))
	two.send("41" + chatNsp)
	match(t, "went", bob.want("presence"), annIs("offline"))
	match(t, "went", one.want("presence"), annIs("offline"))
	say(one, "online", "online")
	// Who says nothing changes nothing by coming and going.
	three := s.as("ann")
	three.call("join", `"r"`)
	three.send("41" + chatNsp)
	for s.io.Of("/chat").Count() > 2 { // until it is gone
		bob.call("who", `"r"`)
	}
	bob.quiet()
	one.quiet()
	// The last is told by its leaving.
	one.call("presence", `{"status":"away"}`)
	bob.want("presence")
	one.send("41" + chatNsp)
	bob.want("user_left")
	bob.quiet()
	again := s.in("ann", "r")
	bob.want("user_joined")
	match(t, "again", again.call("who", `"r"`), `*{"userId":"ann","user":"ANN","status":"online"}]}`)
	bob.quiet()
}

// Each socket is told once, whatever rooms it shares, and the sender is not.
func TestPresenceIsToldOnce(t *testing.T) {
	s := open(t, chat.Options{})
	bob, ann, cid := s.as("bob"), s.as("ann"), s.in("cid", "elsewhere")
	for _, room := range []string{`"b"`, `"a"`, `"c"`} {
		bob.call("join", room)
		ann.call("join", room)
		bob.want("user_joined")
	}
	ann.call("presence", `{"status":"away"}`)
	ann.emit("presence", `{"status":"offline"}`)
	ann.quiet()
	match(t, "told", bob.want("presence"), annIs("away"))
	match(t, "told", bob.want("presence"), annIs("offline"))
	bob.quiet()
	cid.quiet()
}

func TestPresenceOfAnonymousUser(t *testing.T) {
	s := open(t, chat.Options{})
	bob, p := s.in("bob", "r"), s.connect(`{"username":"Ann"}`)
	match(t, "no rooms", p.call("presence", `{"status":"away"}`), `{"ok":true}`)
	// Others take who comes for online.
	match(t, "joined", p.call("join", `"r"`), `*"user":"Ann","status":"away"}]*`)
	bob.want("user_joined")
	match(t, "told", bob.want("presence"), `{"userId":"*","user":"Ann","status":"away","timestamp":*}`)
	p.call("presence", `{"status":"online"}`)
	match(t, "told", bob.want("presence"), `{"userId":"*","user":"Ann","status":"online","timestamp":*}`)
	p.send("41" + chatNsp)
	bob.want("user_left")
	bob.quiet()
}

// Presence is a signal: beyond the budget it is dropped, and nothing is said.
func TestPresenceBudget(t *testing.T) {
	s := open(t, chat.Options{SignalRate: 2})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	for range 2 {
		ann.call("presence", `{"status":"away"}`)
		bob.want("presence")
	}
	ann.send(`42/chat,77["presence",{"status":"online"}]`)
	ann.emit("presence", `{"status":"nonsense"}`)
	ann.quiet()
	bob.quiet()
	if got := s.chat.Stats(); got.SignalsOverBudget != 2 {
		t.Errorf("%+v", got)
	}
	s.clock.forward(time.Second)
	match(t, "later", ann.call("presence", `{"status":"online"}`), `{"ok":true}`)
}

// Whoever joins while a status changes has the new one in the end, from the list
// or told after it.
func TestPresenceAndJoinsRace(t *testing.T) {
	s := open(t, chat.Options{SignalRate: -1})
	ann, tab := s.in("ann", "r"), s.in("ann", "r2")
	comers := make([]*peer, 6)
	for i := range comers {
		comers[i] = s.as(fmt.Sprint("joiner ", i))
	}
	for round := range 40 {
		var all sync.WaitGroup
		all.Go(func() { // in the end the tabs are away and offline
			for _, p := range []*peer{ann, tab} {
				p.emit("presence", `{"status":"online"}`)
			}
			for _, status := range []string{"away", "offline"} {
				ann.emit("presence", `{"status":"`+status+`"}`)
				tab.emit("presence", `{"status":"away"}`)
			}
			ann.call("leave", `"none"`)
			tab.call("leave", `"none"`)
		})
		heard := make([][]string, len(comers))
		for i, p := range comers {
			all.Go(func() {
				p.send(`42/chat,0["join","r"]`)
				for got := ""; !strings.HasPrefix(got, "43/chat,0["); {
					got = p.read()
					heard[i] = append(heard[i], got)
				}
			})
		}
		all.Wait()
		for i, p := range comers {
			p.call("who", `"r"`) // all has been told
			believed := "nothing"
			for _, text := range append(heard[i], p.events...) {
				if _, rest, ok := strings.Cut(text, `"userId":"ann","user":"ANN","status":"`); ok {
					believed, _, _ = strings.Cut(rest, `"`)
				}
			}
			if believed != "away" {
				t.Fatalf("round %d: joiner %d takes ann for %q", round, i, believed)
			}
			p.call("leave", `"r"`)
			p.events = nil
		}
		ann.events, tab.events = nil, nil
	}
}

// A slow store answers some time after it has done what it was asked.
type slow struct{ chat.Store }

func (s slow) SetStatus(ctx context.Context, socket, userID string, status chat.Status) (chat.Standing, error) {
	defer time.Sleep(rand.N(200 * time.Microsecond))
	return s.Store.SetStatus(ctx, socket, userID, status)
}

// What the tabs of a user say at once is told in the order in which it holds.
func TestPresenceOfTabsRace(t *testing.T) {
	s := open(t, chat.Options{SignalRate: -1, Store: slow{memory(newClock())}})
	bob := s.in("bob", "r")
	tabs := []*peer{s.in("ann", "r"), s.in("ann", "r"), s.in("ann", "r"), s.in("ann", "r")}
	for round := range 30 {
		bob.call("leave", `"none"`)
		bob.events = nil
		var all sync.WaitGroup
		for i, p := range tabs {
			all.Go(func() {
				for k := range 4 {
					p.emit("presence", `{"status":"`+[]string{"away", "online", "offline"}[(i+k+round)%3]+`"}`)
				}
				p.call("leave", `"none"`)
				p.events = nil
			})
		}
		all.Wait()
		who := bob.call("who", `"r"`)
		last := field(t, strings.TrimSuffix(strings.TrimPrefix(bob.events[len(bob.events)-1], `42/chat,["presence",`), "]"), "status")
		if !strings.Contains(who, `"user":"ANN","status":`+last) || len(bob.events) != 16 {
			t.Fatalf("round %d: told %s, but: %s", round, last, who)
		}
	}
}
