package app

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

const (
	maxShown      = 1 << 10 // bytes of a packet's arguments, about
	maxShownBytes = 16      // of an attachment
)

// secretName is a member of an object that is not shown.
var secretName = regexp.MustCompile(`(?i)token|secret|password|passwd|pwd|authorization|cookie|credential|session|jwt|api.?key`)

// webToken is a JSON Web Token, wherever one stands.
var webToken = regexp.MustCompile(`eyJ[\w-]+\.[\w-]*\.[\w-]*`)

// A packetLog is a [server.PacketObserver] that logs each packet as one reads it, for
// who develops a client. It is not for production: it shows what people write.
//
// The namespace of the Admin UI is left out: its sessions are secrets, and what
// administrators see are the events of all others once more.
type packetLog struct {
	log   *slog.Logger
	admin string // the name of that namespace
}

var _ server.PacketObserver = packetLog{}

// of is what every line says about a socket.
func (l packetLog) of(s *server.Socket) *slog.Logger {
	return l.log.With("namespace", s.Namespace().Name(), "client", s.ClientID())
}

// Connected implements [server.Observer].
func (l packetLog) Connected(s *server.Socket) {
	l.of(s).Info("packet: connected", "transport", s.Transport(), "address", s.Handshake().Address())
}

// Disconnected implements [server.Observer].
func (l packetLog) Disconnected(s *server.Socket, reason server.Reason) {
	l.of(s).Info("packet: disconnected", "reason", string(reason))
}

// Upgraded implements [server.Observer].
func (l packetLog) Upgraded(s *server.Socket) {
	l.of(s).Info("packet: upgraded", "transport", s.Transport())
}

// ReceivedPacket implements [server.PacketObserver].
func (l packetLog) ReceivedPacket(client string, p *packet.Packet) {
	l.packet("packet: received", client, p, p.Type == packet.Connect)
}

// SentPacket implements [server.PacketObserver].
func (l packetLog) SentPacket(client string, p *packet.Packet) {
	l.packet("packet: sent", client, p, false)
}

// packet logs a packet. Of the credentials of a CONNECT the names are shown alone:
// what a secret is called there is the application's to choose.
func (l packetLog) packet(msg, client string, p *packet.Packet, credentials bool) {
	if p.Namespace == l.admin {
		return
	}
	log := l.log.With("namespace", p.Namespace, "client", client, "type", p.Type.String())
	if p.HasID {
		log = log.With("id", p.ID)
	}
	switch {
	case p.Type == packet.Event:
		event, shown := readable(p.Args)
		log = log.With("event", event, "args", shown)
	case p.Args.Len() == 0:
	case credentials:
		log = log.With("args", namesOf(p.Args.At(0)))
	default:
		log = log.With("args", list(p.Args))
	}
	log.Info(msg)
}

// Received implements [server.Observer].
func (packetLog) Received(*server.Socket, packet.Args) {}

// Sent implements [server.Observer].
func (packetLog) Sent(*server.Socket, packet.Args) {}

// DataChanged implements [server.Observer].
func (packetLog) DataChanged(*server.Socket) {}

// RoomEvents implements [server.Observer].
func (packetLog) RoomEvents(*server.Namespace, []adapter.RoomEvent) {}

// readable is an event as JavaScript would show it: a line of JSON in a line of a
// log would be all backslashes. What looks secret is left out, and what is long is
// cut.
func readable(args packet.Args) (event, shown string) {
	event, ok := args.At(0).Text()
	if !ok {
		event, _ = args.At(0).Number()
	}
	if strings.HasPrefix(event, "auth_") { // auth_refresh has the token alone
		return event, "…"
	}
	return webToken.ReplaceAllString(strings.Clone(event), "…"), list(args.Slice(1))
}

// list is arguments, with commas between.
func list(args packet.Args) string {
	var b strings.Builder
	for i, arg := range args.All() {
		if b.Len() > maxShown {
			b.WriteString(", …")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		show(&b, arg)
	}
	return b.String()
}

// namesOf is an object of which only the names are shown.
func namesOf(arg packet.Arg) string {
	var b strings.Builder
	b.WriteString("{")
	separator := ""
	for name := range arg.Fields() {
		if b.Len() > maxShown {
			b.WriteString("…")
			break
		}
		b.WriteString(separator + cut(webToken.ReplaceAllString(name, "…")) + ": …")
		separator = ", "
	}
	b.WriteString("}")
	return b.String()
}

func show(b *strings.Builder, arg packet.Arg) {
	if content, ok := arg.Bytes(); ok {
		fmt.Fprintf(b, "<%d bytes", len(content))
		if len(content) > 0 {
			fmt.Fprintf(b, " % x", content[:min(len(content), maxShownBytes)])
		}
		if len(content) > maxShownBytes {
			b.WriteString(" …")
		}
		b.WriteString(">")
		return
	}
	switch arg.Kind() {
	case packet.Array:
		b.WriteString("[")
		separator := ""
		for element := range arg.Elements() {
			if b.Len() > maxShown {
				b.WriteString("…")
				break
			}
			b.WriteString(separator)
			separator = ", "
			show(b, element)
		}
		b.WriteString("]")
	case packet.Object:
		showObject(b, arg)
	default:
		if text, ok := arg.Text(); ok {
			b.WriteString("'" + cut(webToken.ReplaceAllString(text, "…")) + "'")
			return
		}
		b.WriteString(cut(string(arg.AppendJSON(nil)))) // a number, true, false or null
	}
}

func showObject(b *strings.Builder, arg packet.Arg) {
	b.WriteString("{")
	separator := ""
	for name, value := range arg.Fields() {
		if b.Len() > maxShown {
			b.WriteString("…")
			break
		}
		b.WriteString(separator + cut(webToken.ReplaceAllString(name, "…")) + ": ")
		separator = ", "
		if secretName.MatchString(name) {
			b.WriteString("…")
		} else {
			show(b, value)
		}
	}
	b.WriteString("}")
}

// cut is a text that is not too long, in whole characters.
func cut(text string) string {
	if len(text) <= maxShown {
		return text
	}
	end := maxShown
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
