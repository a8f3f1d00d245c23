package packet

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Decoder reads the packets of one connection: a text message with
// [Decoder.Text], then the attachments it announces with [Decoder.Binary].
//
// After an error the connection is to be closed, as the reference server does;
// the decoder then holds nothing of it. A Decoder is not safe for concurrent use.
// The packets it returns are immutable and keep nothing of it.
type Decoder struct {
	limits    *Limits
	namespace string // of the last packet, so that the next need not copy it

	// A packet whose attachments are not all there yet.
	pending *decoded
	need    int   // attachments that are missing
	bytes   int64 // length of those that are there
}

// decoded is a packet with its arguments: one allocation.
type decoded struct {
	packet Packet
	list   list
}

// NewDecoder returns a decoder for a connection that has just opened.
func NewDecoder(limits Limits) *Decoder {
	return NewDecoders(limits)()
}

// NewDecoders returns what makes the decoders of many connections: they share
// their limits, which is most of what an idle decoder holds.
func NewDecoders(limits Limits) func() *Decoder {
	limits = limits.withDefaults()
	return func() *Decoder { return &Decoder{limits: &limits} }
}

// Awaiting reports whether attachments of a packet are missing: whether the next
// message has to be binary.
func (d *Decoder) Awaiting() bool { return d.pending != nil }

// Pending returns the packet whose attachments are missing, so that one that is
// not wanted can be refused before they come, or nil. Its arguments are not to be
// used yet.
func (d *Decoder) Pending() *Packet {
	if d.pending == nil {
		return nil
	}
	return &d.pending.packet
}

// Reset drops a packet whose attachments are not all there.
func (d *Decoder) Reset() {
	d.pending, d.need, d.bytes = nil, 0, 0
}

// Text reads a text message, without the "4" of Engine.IO. It returns the packet,
// or nil and no error if attachments are to follow. The error is an [*Error].
//
// The data is copied, once: its buffer may be used again. That it is UTF-8 is for
// the transport to check.
func (d *Decoder) Text(data []byte) (*Packet, error) {
	if d.pending != nil {
		return nil, d.fail(reasonTextAwaiting, 0)
	}
	if len(data) == 0 {
		return nil, d.fail(reasonEmpty, 0)
	}
	if len(data) > math.MaxInt32 {
		return nil, d.fail(reasonTooLarge, 0)
	}
	if data[0] < '0' || data[0] > '6' || data[0] == '0'+byte(ConnectError) {
		return nil, d.fail(reasonType, 0) // a CONNECT_ERROR is the server's to send
	}
	in := &decoded{}
	if at, reason := d.read(in, string(data)); reason != "" {
		return nil, d.fail(reason, at)
	}
	if d.need > 0 {
		d.pending = in
		return nil, nil
	}
	return &in.packet, nil
}

// Binary reads a binary message, which has to be an attachment of the packet that
// [Decoder.Text] has read. It returns the packet when this was the last one, and
// nil and no error if more are to follow. The error is an [*Error].
//
// The data is not copied: it belongs to the packet from now on.
func (d *Decoder) Binary(data []byte) (*Packet, error) {
	if d.pending == nil {
		return nil, d.fail(reasonBinaryUnasked, 0)
	}
	d.bytes += int64(len(data))
	if d.bytes > d.limits.MaxBytes {
		return nil, d.fail(reasonBinaryTooLarge, 0)
	}
	if data == nil {
		data = []byte{}
	}
	att := d.pending.list.att
	att.list = append(att.list, data)
	d.need--
	if d.need > 0 {
		return nil, nil
	}
	p := &d.pending.packet
	d.Reset()
	return p, nil
}

func (d *Decoder) fail(reason string, at int) error {
	d.Reset()
	return &Error{Reason: reason, Offset: at}
}

// read reads <type>[<attachments>-][<namespace>,][<id>][<payload>] into in. It
// returns the reason and the place of a mistake.
func (d *Decoder) read(in *decoded, s string) (at int, reason string) {
	p := &in.packet
	p.Type = Type(s[0] - '0')
	i := 1

	attachments := 0
	if p.Type == BinaryEvent || p.Type == BinaryAck {
		var n uint64
		var ok bool
		if n, i, ok = scanUint(s, i); !ok || n == 0 || n > uint64(d.limits.MaxAttachments) || i >= len(s) || s[i] != '-' {
			return i, reasonAttachments
		}
		i++
		attachments = int(n)
		p.Type -= BinaryEvent - Event
	}

	p.Namespace = "/"
	if i < len(s) && s[i] == '/' {
		end := strings.IndexByte(s[i:], ',')
		next := i + end + 1
		if end < 0 {
			end = len(s) - i
			next = len(s)
		}
		if !d.name(p, s[i:i+end]) {
			return i, reasonNamespace
		}
		i = next
	}

	switch p.Type {
	case Connect:
		if i < len(s) {
			return d.readPayload(in, s, i)
		}
		return 0, ""
	case Disconnect:
		if i < len(s) {
			return i, reasonPayload
		}
		return 0, ""
	}

	if i < len(s) && isDigit(s[i]) {
		var ok bool
		start := i
		if p.ID, i, ok = scanUint(s, i); !ok || p.ID > MaxID {
			return start, reasonAckID
		}
		p.HasID = true
	}
	if at, reason = d.readEvent(in, s, i); reason != "" || attachments == 0 {
		return at, reason
	}
	if _, at, ok := countPlaceholders(s[i:], attachments); !ok {
		return i + at, reasonPlaceholder
	}
	in.list.att = &attachmentList{list: make([][]byte, 0, attachments)}
	d.need = attachments
	return 0, ""
}

// name sets the namespace of a packet.
func (d *Decoder) name(p *Packet, namespace string) (ok bool) {
	if namespace != d.namespace {
		if len(namespace) > d.limits.MaxNamespace || !ValidNamespace(namespace) {
			return false
		}
		// A copy, since a server keeps namespaces for long.
		d.namespace = strings.Clone(namespace)
	}
	p.Namespace = d.namespace
	return true
}

// readEvent reads the payload of an event or an acknowledgement.
func (d *Decoder) readEvent(in *decoded, s string, i int) (at int, reason string) {
	if at, reason = d.readArgs(in, s, i); reason != "" {
		return at, reason
	}
	if in.packet.Type == Event {
		if reason = d.checkName(in.packet.Args); reason != "" {
			return i, reason
		}
	}
	return 0, ""
}

// readPayload reads the one value that is the payload of a CONNECT.
func (d *Decoder) readPayload(in *decoded, s string, i int) (at int, reason string) {
	if s[i] != '{' {
		return i, reasonPayload
	}
	end, reason := scanValue(s, i, d.limits.MaxDepth)
	if reason != "" {
		return end, reason
	}
	if rest := skipSpace(s, end); rest < len(s) {
		return rest, reasonTrailing
	}
	in.list.text = s
	in.list.add(i, end)
	in.packet.Args = in.list.all()
	return 0, ""
}

// readArgs reads the array that is the payload of an event or an acknowledgement.
func (d *Decoder) readArgs(in *decoded, s string, i int) (at int, reason string) {
	if i >= len(s) || s[i] != '[' {
		return i, reasonPayload
	}
	l := &in.list
	l.text = s
	i = skipSpace(s, i+1)
	if i < len(s) && s[i] == ']' {
		i++
	} else {
		for {
			if l.count == d.limits.MaxArgs {
				return i, reasonArgs
			}
			end, reason := scanValue(s, i, d.limits.MaxDepth-1)
			if reason != "" {
				return end, reason
			}
			l.add(i, end)
			i = skipSpace(s, end)
			if i >= len(s) {
				return i, reasonSyntax
			}
			c := s[i]
			i++
			if c == ']' {
				break
			}
			if c != ',' {
				return i - 1, reasonSyntax
			}
			i = skipSpace(s, i)
		}
	}
	if rest := skipSpace(s, i); rest < len(s) {
		return rest, reasonTrailing
	}
	in.packet.Args = l.all()
	return 0, ""
}

// checkName checks that the first argument of an event is a name that a client
// may use: a string, or a number as the reference implementation takes it.
func (d *Decoder) checkName(args Args) (reason string) {
	first := args.At(0)
	if len(first.text) > 6*d.limits.MaxEventName+2 {
		return reasonName // too long even if every character is an escape
	}
	name, ok := first.Text()
	if !ok {
		if name, ok = first.Number(); !ok {
			return reasonName
		}
	}
	if len(name) > d.limits.MaxEventName || !utf8.ValidString(name) {
		return reasonName
	}
	if Reserved(name) {
		return reasonReserved
	}
	return ""
}

// scanUint reads ASCII digits: at least one and at most 16, which no uint64
// overflows at.
func scanUint(s string, i int) (n uint64, end int, ok bool) {
	start := i
	for i < len(s) && isDigit(s[i]) {
		if i-start == 16 {
			return 0, i, false
		}
		n = n*10 + uint64(s[i]-'0')
		i++
	}
	return n, i, i > start
}

// ValidNamespace reports whether a name may be that of a namespace: it begins
// with a slash, is made of printable characters, and has neither a comma, which
// ends a namespace on the wire, nor '?', '#' or "..", which are no part of a path
// that names one. A [Decoder] bounds the length as well.
func ValidNamespace(name string) bool {
	if name == "" || name[0] != '/' {
		return false
	}
	for i, r := range name {
		switch {
		case r == ',' || r == '?' || r == '#':
			return false
		case r == '.' && i+1 < len(name) && name[i+1] == '.':
			return false
		case r < utf8.RuneSelf:
			if r < ' ' || r == 0x7f {
				return false
			}
		case !unicode.IsPrint(r):
			return false
		case r == utf8.RuneError:
			if _, size := utf8.DecodeRuneInString(name[i:]); size == 1 {
				return false
			}
		}
	}
	return true
}
