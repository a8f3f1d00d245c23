package admin

import (
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/seed3686fee0/parlor/server/packet"
)

const (
	maxArgs  = 16 << 10 // bytes of the arguments of an event that are shown
	maxData  = 8 << 10  // of the data of a socket
	maxText  = 4 << 10  // of a string
	maxDigit = 400      // of a number: no float64 has as many
	maxDepth = 32       // of arrays and objects
)

// readableArgs is what is shown of the arguments of an event, its name first: a
// JSON array in which nothing is binary, secret or long.
func readableArgs(args packet.Args) string {
	r := reader{left: maxArgs}
	r.out = append(r.out, '[')
	for i, v := range args.All() {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		if i > 0 && r.left <= 0 {
			r.out = append(r.out, cut...)
			break
		}
		r.value(v, 1)
	}
	return string(append(r.out, ']'))
}

// readableData is what is shown of the data of a socket.
func readableData(data packet.Arg, plain bool) []byte {
	r := reader{left: maxData, plain: plain}
	r.value(data, 0)
	return r.out
}

const cut = `"<cut>"`

// A reader writes values for people to read.
type reader struct {
	out   []byte
	left  int  // how many bytes are to be written yet
	plain bool // nothing is masked
}

func (r *reader) value(v packet.Arg, depth int) {
	begin := len(r.out)
	if b, ok := v.Bytes(); ok {
		r.out = fmt.Appendf(r.out, `"<binary %d B>"`, len(b))
		return
	}
	switch v.Kind() {
	case packet.String:
		r.text(v)
	case packet.Array, packet.Object:
		if depth >= maxDepth {
			r.out = append(r.out, `"<nested too deeply>"`...)
			break
		}
		if v.Kind() == packet.Array {
			r.array(v, depth+1)
		} else {
			r.object(v, depth+1)
		}
		return // its parts have been counted
	default:
		r.out = v.AppendJSON(r.out)
		if n := len(r.out) - begin; n > maxDigit {
			r.out = fmt.Appendf(r.out[:begin], `"<number of %d B>"`, n)
		}
	}
	r.left -= len(r.out) - begin
}

func (r *reader) text(v packet.Arg) {
	text, _ := v.Text()
	switch {
	case !r.plain && (looksLikeToken(text) || holdsToken(text)):
		text = masked
	default:
		text = shorten(text, maxText)
	}
	r.out = quote(r.out, text)
}

// shorten cuts a text that is longer than so many bytes, and says how long it is.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return fmt.Sprintf("%s… <%d B>", text[:end], len(text))
}

func (r *reader) array(v packet.Arg, depth int) {
	r.out = append(r.out, '[')
	first := true
	for x := range v.Elements() {
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		if r.left <= 0 {
			r.out = append(r.out, cut...)
			break
		}
		r.value(x, depth)
		r.left--
	}
	r.out = append(r.out, ']')
}

func (r *reader) object(v packet.Arg, depth int) {
	r.out = append(r.out, '{')
	first := true
	for name, x := range v.Fields() {
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		if r.left <= 0 {
			r.out = append(r.out, `"…":`+cut...)
			break
		}
		if len(name) > maxText {
			name = name[:maxText]
		}
		r.left -= len(name) + 1
		r.out = append(quote(r.out, name), ':')
		if k := x.Kind(); !r.plain && !Harmless(name) && k != packet.Null && k != packet.Bool {
			r.out = quote(r.out, masked)
			continue
		}
		r.value(x, depth)
	}
	r.out = append(r.out, '}')
}

// quote appends a JSON string; what is not UTF-8 in it is replaced.
func quote(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s) // an error says that something was replaced
	return dst
}
