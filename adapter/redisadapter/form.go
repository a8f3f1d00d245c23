package redisadapter

import (
	"strings"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
)

// A form is a way to write messages and to name channels: classic or sharded.
type form interface {
	// subs are what the adapter of a namespace always listens to. The last of them
	// is the instance's own.
	subs(namespace, uid string) []link.Sub
	// counted is the one of them by whose connections instances are counted.
	counted(namespace string) link.Sub
	// roomSub is what to listen to while a room has members here, if there is
	// something.
	roomSub(namespace, room string, private bool) (link.Sub, bool)
	// encode makes what is published of a message. to is whom an answer is for.
	encode(m *wire.Message, namespace, to string) (link.Outgoing, error)
	// answers reports what is on a channel for answers.
	answers(namespace, uid string, e *link.Event) bool
	// echo reports messages that are this instance's own, as far as can be seen
	// at a glance.
	echo(own *own, e *link.Event) bool
	// room is the room that a message is about by its channel, "" if it is not
	// about one only; ok is false for channels that are none of the namespace's.
	room(namespace string, e *link.Event) (room string, ok bool)
	// decode reads a message.
	decode(r *wire.Reader, namespace string, e *link.Event) (*wire.Message, error)
}

// An own is what an instance's own messages are known by.
type own struct{ uid, begin, end string }

func newOwn(namespace, uid string) *own {
	return &own{
		uid: uid,
		// Of a classic broadcast: an array of three, the first a short text.
		begin: string([]byte{0x93, 0xa0 | byte(len(uid)&31)}) + uid,
		// Of a sharded message in JSON.
		end: `"uid":"` + uid + `","nsp":"` + namespace + `"}`,
	}
}

// A classic is the form of Node's createAdapter.
type classic struct{ prefix string }

func (f classic) broadcasts(namespace string) string { return f.prefix + "#" + namespace + "#" }
func (f classic) requests(namespace string) string   { return f.prefix + "-request#" + namespace + "#" }
func (f classic) responses(namespace string) string  { return f.prefix + "-response#" + namespace + "#" }

// globs escapes what is special in a pattern.
var globs = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`)

func (f classic) pattern(namespace string) string {
	return globs.Replace(f.broadcasts(namespace)) + "*"
}

func (f classic) subs(namespace, uid string) []link.Sub {
	return []link.Sub{
		{Kind: link.Pattern, Name: f.pattern(namespace)},
		f.counted(namespace),
		{Kind: link.Channel, Name: f.responses(namespace)},
		{Kind: link.Channel, Name: f.responses(namespace) + uid + "#"},
	}
}

func (f classic) counted(namespace string) link.Sub {
	return link.Sub{Kind: link.Channel, Name: f.requests(namespace)}
}

// roomSub: everyone hears everything, by the pattern.
func (f classic) roomSub(string, string, bool) (link.Sub, bool) { return link.Sub{}, false }

func (f classic) encode(m *wire.Message, namespace, to string) (link.Outgoing, error) {
	if m.Op == wire.Broadcast || m.Op == wire.Ask {
		m.Namespace = namespace
	}
	payload, err := wire.AppendClassic(m)
	out := link.Outgoing{Channel: f.requests(namespace), Payload: payload}
	switch {
	case m.Op == wire.Broadcast:
		out.Channel = f.broadcasts(namespace)
		if len(m.Target.Rooms) == 1 {
			out.Channel += m.Target.Rooms[0] + "#"
		}
	case m.Op >= wire.Sockets:
		// Node listens to both since 7.1; on its own channel an answer reaches
		// the one that asked and not all.
		if out.Channel = f.responses(namespace); to != "" {
			out.Channel += to + "#"
		}
	}
	return out, err
}

func (f classic) echo(own *own, e *link.Event) bool {
	return e.Sub.Kind == link.Pattern && strings.HasPrefix(e.Payload, own.begin)
}

func (f classic) room(namespace string, e *link.Event) (room string, ok bool) {
	if e.Sub.Kind != link.Pattern {
		return "", true
	}
	rest, ok := strings.CutPrefix(e.Channel, f.broadcasts(namespace))
	if !ok || rest == "" {
		return "", ok
	}
	return strings.CutSuffix(rest, "#")
}

func (f classic) answers(namespace, _ string, e *link.Event) bool {
	return e.Sub.Kind == link.Channel && strings.HasPrefix(e.Channel, f.responses(namespace))
}

func (f classic) decode(r *wire.Reader, namespace string, e *link.Event) (*wire.Message, error) {
	switch {
	case e.Sub.Kind == link.Pattern:
		return r.Broadcast(e.Payload)
	case e.Channel == f.requests(namespace):
		return r.Request(e.Payload)
	}
	return r.Response(e.Payload)
}
