package packet

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
)

// Appender is implemented by values that write their own JSON. What they append
// is checked, so that a mistake does not break the packet around it.
type Appender interface {
	AppendJSON(dst []byte) ([]byte, error)
}

// NewArgs encodes Go values as the arguments of a packet.
//
//   - An [Arg] is passed on as it was written, with its attachments. [Args] are
//     an array.
//   - A value with an [Appender]'s method writes itself.
//   - A []byte, at the top or anywhere within a value, becomes an attachment: a
//     Buffer or ArrayBuffer in JavaScript. It is copied. So does a named slice of
//     bytes, if it has no JSON or text of its own. A [json.RawMessage] is JSON.
//   - All else follows encoding/json, but <, > and & are not escaped.
//
// An error names the argument; errors.Is finds ErrEncode in it. NewArgs does not retain values, and may be called
// from several goroutines.
func NewArgs(values ...any) (Args, error) {
	b := newBuilder()
	defer b.free()
	for i, v := range values {
		if err := b.add(v); err != nil {
			return Args{}, fmt.Errorf("%w: argument %d: %w", ErrEncode, i, err)
		}
	}
	return b.args()
}

// EventArgs is [NewArgs] for an event: its name, then its arguments. It spares
// callers a slice for both.
func EventArgs(name string, values ...any) (Args, error) {
	b := newBuilder()
	defer b.free()
	b.begin()
	b.text = appendQuoted(b.text, name)
	b.end()
	for i, v := range values {
		if err := b.add(v); err != nil {
			return Args{}, fmt.Errorf("%w: argument %d: %w", ErrEncode, i, err)
		}
	}
	return b.args()
}

func (b *builder) args() (Args, error) {
	if len(b.starts) == 0 {
		return Args{}, nil
	}
	l, err := b.list()
	if err != nil {
		return Args{}, fmt.Errorf("%w: %w", ErrEncode, err)
	}
	return l.all(), nil
}

func (b *builder) add(v any) (err error) {
	b.begin()
	b.text, err = b.append(b.text, v, 0)
	b.end()
	return err
}

var (
	errNumber   = errors.New("not a JSON number")
	errFloat    = errors.New("NaN and infinities have no JSON")
	errAppender = errors.New("AppendJSON wrote no JSON value")
	errRaw      = errors.New("RawMessage holds no JSON value")
	errNesting  = errors.New("nested too deeply")
)

// goDepth is how deep the maps and slices of a Go value may be nested: one that
// contains itself shall be an error, as in encoding/json.
const goDepth = 1000

// append appends a Go value. The types that most values have are handled here,
// without reflection; the rest is for appendReflect.
func (b *builder) append(dst []byte, v any, depth int) ([]byte, error) {
	if depth > goDepth {
		return dst, errNesting
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendQuoted(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case uint:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case uint64:
		return strconv.AppendUint(dst, v, 10), nil
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case float64:
		return appendFloat(dst, v, 64)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case Arg:
		return b.appendArg(dst, v), nil
	case Args:
		return b.appendArgs(dst, v), nil
	case []byte:
		if v == nil {
			return append(dst, "null"...), nil
		}
		return b.appendBytes(dst, v), nil
	case json.RawMessage:
		if v == nil {
			return append(dst, "null"...), nil
		}
		start := len(dst)
		return checked(append(dst, v...), start, errRaw)
	case json.Number:
		if v == "" {
			v = "0" // as encoding/json, which takes it for the zero value
		}
		if v[0] != '-' && !isDigit(v[0]) {
			return dst, errNumber
		}
		if end, reason := scanNumber(string(v), 0); reason != "" || end != len(v) {
			return dst, errNumber
		}
		return append(dst, v...), nil
	case map[string]any:
		return b.appendMap(dst, v, depth)
	case []any:
		return b.appendSlice(dst, v, depth)
	case []string:
		if v == nil {
			return append(dst, "null"...), nil
		}
		dst = append(dst, '[')
		for i, s := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, s)
		}
		return append(dst, ']'), nil
	case Appender:
		return appendAppender(dst, v)
	}
	return b.appendReflect(dst, v)
}

func (b *builder) appendArgs(dst []byte, args Args) []byte {
	dst = append(dst, '[')
	for i, a := range args.All() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = b.appendArg(dst, a)
	}
	return append(dst, ']')
}

// appendMap writes the members by name, as encoding/json does.
func (b *builder) appendMap(dst []byte, m map[string]any, depth int) ([]byte, error) {
	if m == nil {
		return append(dst, "null"...), nil
	}
	var few [8]string
	names := few[:0]
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, name), ':')
		var err error
		if dst, err = b.append(dst, m[name], depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func (b *builder) appendSlice(dst []byte, list []any, depth int) ([]byte, error) {
	if list == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = b.append(dst, v, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func appendAppender(dst []byte, v Appender) ([]byte, error) {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer && r.IsNil() {
		return append(dst, "null"...), nil // as encoding/json does with a nil Marshaler
	}
	start := len(dst)
	out, err := v.AppendJSON(dst)
	if err != nil {
		return dst, err
	}
	if len(out) < start {
		return dst, errAppender
	}
	return checked(out, start, errAppender)
}

// checked returns dst if dst[start:] is one JSON value.
func checked(dst []byte, start int, otherwise error) ([]byte, error) {
	i := skipSpace(dst, start)
	end, reason := scanValue(dst, i, depthCeiling)
	if reason != "" || skipSpace(dst, end) != len(dst) {
		return dst, otherwise
	}
	// Arguments have no white space around them.
	return append(dst[:start], dst[i:end]...), nil
}

// appendFloat writes a number as encoding/json and JavaScript do: with an
// exponent if it is very large or very small.
func appendFloat(dst []byte, f float64, bits int) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, errFloat
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 {
		if bits == 64 && (abs < 1e-6 || abs >= 1e21) ||
			bits == 32 && (float32(abs) < 1e-6 || float32(abs) >= 1e21) {
			format = 'e'
		}
	}
	dst = strconv.AppendFloat(dst, f, format, -1, bits)
	if n := len(dst); format == 'e' && n >= 4 && dst[n-4] == 'e' && (dst[n-3] == '-' || dst[n-3] == '+') && dst[n-2] == '0' {
		dst[n-2] = dst[n-1] // e-09 is e-9
		dst = dst[:n-1]
	}
	return dst, nil
}
