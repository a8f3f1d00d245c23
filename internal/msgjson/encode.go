package msgjson

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/vmihailenco/msgpack/v5"
)

// MaxDepth is how deep arrays and objects may be nested at most.
const MaxDepth = 1024

var (
	errDepth = errors.New("nested too deeply")
	errText  = errors.New("bad JSON")
)

// keepAtMost is the size up to which a buffer is kept for the next use: growing
// one anew for every message of 50 KB costs a third of the time that reading takes.
const keepAtMost = 256 << 10

// output is where the library writes: a slice that grows.
type output struct{ b []byte }

func (o *output) Write(p []byte) (int, error) {
	o.b = append(o.b, p...)
	return len(p), nil
}

func (o *output) WriteByte(c byte) error {
	o.b = append(o.b, c)
	return nil
}

// An encoder turns JSON text into MessagePack: the smallest form of everything.
// MessagePack wants to know how many elements there are before the first, so
// the text is walked over twice.
type encoder struct {
	out    output
	enc    *msgpack.Encoder
	att    [][]byte
	counts []int // elements of each array and object, in the order in which they open
	stack  []int
	next   int // in counts
	text   []byte
}

var encoders = sync.Pool{New: func() any {
	e := &encoder{}
	e.enc = msgpack.NewEncoder(&e.out)
	return e
}}

// Append appends a valid JSON text as MessagePack to dst. Where there are
// attachments, placeholders stand for them. With an error dst is returned as it
// was.
func Append(dst []byte, text string, attachments [][]byte) ([]byte, error) {
	return appendWith(dst, text, attachments, (*encoder).whole)
}

// AppendList is Append for the elements of an array, comma separated, without
// the brackets around them.
func AppendList(dst []byte, elements string, attachments [][]byte) ([]byte, error) {
	return appendWith(dst, elements, attachments, (*encoder).list)
}

func appendWith(dst []byte, text string, attachments [][]byte, write func(*encoder, string) error) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer e.free()
	e.out.b, e.att, e.next = dst, attachments, 0
	if err := write(e, text); err != nil {
		return dst, err
	}
	return e.out.b, nil
}

// AppendString appends a text, which must be UTF-8, as MessagePack.
func AppendString(dst []byte, s string) []byte {
	e := encoders.Get().(*encoder)
	defer e.free()
	e.out.b = dst
	_ = e.enc.EncodeString(s) // an output has no errors
	return e.out.b
}

// AppendUint appends a number as MessagePack.
func AppendUint(dst []byte, n uint64) []byte {
	e := encoders.Get().(*encoder)
	defer e.free()
	e.out.b = dst
	_ = e.enc.EncodeUint(n)
	return e.out.b
}

func (e *encoder) free() {
	e.out.b, e.att = nil, nil
	if cap(e.text) <= keepAtMost && cap(e.counts) <= keepAtMost {
		encoders.Put(e)
	}
}

func (e *encoder) whole(text string) error {
	if err := e.count(text, e.counts[:0], e.stack[:0]); err != nil {
		return err
	}
	end, err := e.value(text, 0, 0)
	if err == nil && end != len(text) {
		err = errText
	}
	return err
}

func (e *encoder) list(text string) error {
	if err := e.count(text, append(e.counts[:0], 0), append(e.stack[:0], 0)); err != nil {
		return err
	}
	e.next = 1
	if err := e.enc.EncodeArrayLen(e.counts[0]); err != nil {
		return err
	}
	i, err := e.elements(text, 0, e.counts[0], 0, false)
	if err == nil && i != len(text) {
		err = errText
	}
	return err
}

// count counts the elements of what is in s, and in what has been opened before.
func (e *encoder) count(s string, counts, stack []int) error {
	for i := 0; i < len(s); {
		c := s[i]
		switch c {
		case ' ', '\t', '\n', '\r', ':':
			i++
			continue
		case ']', '}':
			if len(stack) == 0 {
				return errText
			}
			stack = stack[:len(stack)-1]
			i++
			continue
		}
		if len(stack) > 0 {
			if top := stack[len(stack)-1]; c == ',' {
				counts[top]++
			} else if counts[top] == 0 {
				counts[top] = 1
			}
		}
		switch c {
		case '"':
			i = skipString(s, i)
			continue
		case '[', '{':
			if len(stack) >= MaxDepth {
				return errDepth
			}
			stack = append(stack, len(counts))
			counts = append(counts, 0)
		}
		i++
	}
	e.counts, e.stack = counts, stack[:0]
	return nil
}

// value writes the value at s[i] and returns where it ends.
func (e *encoder) value(s string, i, depth int) (end int, err error) {
	if i = skipSpace(s, i); i >= len(s) {
		return i, errText
	}
	switch c := s[i]; c {
	case '"':
		end = skipString(s, i)
		return end, e.string(s[i:end])
	case '[':
		return e.container(s, i, depth, ']')
	case '{':
		if len(e.att) > 0 {
			if end, num, ok := placeholder(s, i); ok && num < len(e.att) {
				e.next++
				return end, e.enc.EncodeBytes(e.att[num])
			}
		}
		return e.container(s, i, depth, '}')
	default:
		end = i
		for end < len(s) && s[end] > ' ' && s[end] != ',' && s[end] != ']' && s[end] != '}' {
			end++
		}
		return end, e.scalar(s[i:end])
	}
}

func (e *encoder) container(s string, i, depth int, last byte) (int, error) {
	if depth >= MaxDepth {
		return i, errDepth
	}
	if e.next >= len(e.counts) {
		return i, errText
	}
	n := e.counts[e.next]
	e.next++
	var err error
	if last == ']' {
		err = e.enc.EncodeArrayLen(n)
	} else {
		err = e.enc.EncodeMapLen(n)
	}
	if err == nil {
		i, err = e.elements(s, i+1, n, depth, last == '}')
	}
	if err == nil && (i >= len(s) || s[i] != last) {
		err = errText
	}
	return i + 1, err
}

// elements writes the n elements of an array, or members of an object, at s[i].
func (e *encoder) elements(s string, i, n, depth int, members bool) (end int, err error) {
	i = skipSpace(s, i)
	for k := range n {
		if k > 0 {
			if i >= len(s) || s[i] != ',' {
				return i, errText
			}
			i++
		}
		if members {
			if i, err = e.key(s, i); err != nil {
				return i, err
			}
		}
		if i, err = e.value(s, i, depth+1); err != nil {
			return i, err
		}
		i = skipSpace(s, i)
	}
	return i, nil
}

func (e *encoder) key(s string, i int) (end int, err error) {
	if i = skipSpace(s, i); i >= len(s) || s[i] != '"' {
		return i, errText
	}
	end = skipString(s, i)
	if err := e.string(s[i:end]); err != nil {
		return i, err
	}
	if i = skipSpace(s, end); i >= len(s) || s[i] != ':' {
		return i, errText
	}
	return i + 1, nil
}

// string writes a JSON string, quotes included in s.
func (e *encoder) string(s string) error {
	if len(s) < 2 {
		return errText
	}
	if strings.IndexByte(s, '\\') < 0 {
		return e.enc.EncodeString(s[1 : len(s)-1])
	}
	// An error is about half a surrogate pair, which is U+FFFD then.
	e.text, _ = jsontext.AppendUnquote(e.text[:0], s)
	return e.enc.EncodeString(string(e.text))
}

func (e *encoder) scalar(s string) error {
	switch s {
	case "null":
		return e.enc.EncodeNil()
	case "true", "false":
		return e.enc.EncodeBool(s == "true")
	}
	// Integers of 64 bits keep all their digits, for those who can read them.
	if !strings.ContainsAny(s, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return e.enc.EncodeInt(n)
		}
		if n, err := strconv.ParseUint(s, 10, 64); err == nil {
			return e.enc.EncodeUint(n)
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange): // what is too large is infinite, as in JavaScript
		return fmt.Errorf("%w: a number", errText)
	case f == math.Trunc(f) && math.Abs(f) <= 1<<53:
		return e.enc.EncodeInt(int64(f)) // 1.0, 1e3 and -0 are integers there
	}
	return e.enc.EncodeFloat64(f)
}
