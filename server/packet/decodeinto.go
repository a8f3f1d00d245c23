package packet

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Decode stores the argument in what v points to, with the rules and the errors of
// encoding/json. In addition:
//
//   - an attachment fits a []byte, a named slice of bytes without a decoding of its
//     own, an interface that holds nothing, and an Arg, at any depth. The bytes are
//     copies. A []byte also takes a string in base64, as ever;
//   - an *[Arg] gets the argument itself.
//
// null leaves a number, string, bool or struct as it is.
func (a Arg) Decode(v any) error {
	switch v := v.(type) {
	case *Arg:
		if v != nil {
			*v = a
			return nil
		}
	case *string:
		if text, ok := a.Text(); ok && v != nil && utf8.ValidString(text) {
			*v = strings.Clone(text) // what is decoded is the caller's alone
			return nil
		}
	case *int:
		if n, err := strconv.ParseInt(a.text, 10, strconv.IntSize); err == nil && v != nil {
			*v = int(n)
			return nil
		}
	case *int64:
		if n, err := strconv.ParseInt(a.text, 10, 64); err == nil && v != nil {
			*v = n
			return nil
		}
	case *float64:
		if number, ok := a.Number(); ok && v != nil {
			if f, err := strconv.ParseFloat(number, 64); err == nil {
				*v = f
				return nil
			}
		}
	case *bool:
		if value, ok := a.Bool(); ok && v != nil {
			*v = value
			return nil
		}
	case *[]byte:
		if data, ok := a.Bytes(); ok && v != nil {
			*v = bytes.Clone(data)
			return nil
		}
	case *any:
		if v != nil && *v == nil {
			value, err := a.value()
			if err == nil {
				*v = value
			}
			return err
		}
	case *json.RawMessage:
		if v != nil && !a.HasBinary() {
			*v = append((*v)[:0], a.json()...)
			return nil
		}
	}
	buf := jsonBuffers.Get().(*[]byte)
	*buf = append((*buf)[:0], a.json()...)
	var err error
	if a.att == nil {
		// Nearly twice as fast as encoding/json and with few allocations. For
		// what is wrong encoding/json is asked, whose errors callers know.
		if v == nil || traitsOf(reflect.TypeOf(v)).number || jsonx.Unmarshal(*buf, v, v1) != nil {
			err = json.Unmarshal(*buf, v)
		}
	} else {
		u := unmarshalers.Get().(*unmarshaler)
		u.att = a.att
		err = jsonx.Unmarshal(*buf, v, u.options)
		u.att = nil
		unmarshalers.Put(u)
	}
	if cap(*buf) <= keepAtMost {
		jsonBuffers.Put(buf)
	}
	return err
}

// jsonBuffers hold an argument as the bytes that decoders want. None of them
// retains its input.
var jsonBuffers = sync.Pool{New: func() any { return new([]byte) }}

// unmarshaler decodes values with attachments anywhere within them; see marshaler.
type unmarshaler struct {
	att     *attachmentList
	options jsonx.Options
}

var unmarshalers = sync.Pool{New: func() any {
	u := new(unmarshaler)
	u.options = jsonx.JoinOptions(v1, jsonx.WithUnmarshalers(jsonx.UnmarshalFromFunc(u.unmarshal)))
	return u
}}

// unmarshal is called with a pointer to every value on the way. It leaves to the
// library all that is no attachment or Arg.
func (u *unmarshaler) unmarshal(dec *jsontext.Decoder, v any) error {
	switch v := v.(type) {
	case *string, *int, *int64, *float64, *bool:
		return errors.ErrUnsupported // most are; spare them the rest
	case *json.Number:
		text, err := dec.ReadValue()
		if err != nil {
			return err
		}
		return json.Unmarshal(text, v)
	case *Arg:
		text, err := dec.ReadValue()
		if err != nil {
			return err
		}
		*v = Arg{text: string(text), att: u.att}
		return nil
	case *any:
		if *v != nil {
			return errors.ErrUnsupported
		}
		text, err := dec.ReadValue()
		if err != nil {
			return err
		}
		*v, err = Arg{text: string(text), att: u.att}.value()
		return err
	}
	r := reflect.ValueOf(v).Elem()
	if r.Kind() != reflect.Slice || dec.PeekKind() != '{' || !isBytes(r.Type()) {
		return errors.ErrUnsupported
	}
	text, err := dec.ReadValue()
	if err != nil {
		return err
	}
	data, ok := Arg{text: string(text), att: u.att}.Bytes()
	if !ok {
		return &json.UnmarshalTypeError{Value: "object", Type: r.Type(), Offset: dec.InputOffset()}
	}
	r.SetBytes(bytes.Clone(data))
	return nil
}

// value returns what encoding/json puts into an empty interface, and a []byte for
// an attachment. The depth of its recursion is bounded: that of decoded packets by
// the decoder's limits.
func (a Arg) value() (any, error) {
	switch a.Kind() {
	case Bool:
		return a.text == "true", nil
	case Number:
		f, err := strconv.ParseFloat(a.text, 64)
		if err != nil {
			return nil, &json.UnmarshalTypeError{Value: "number " + a.text, Type: reflect.TypeFor[float64]()}
		}
		return f, nil
	case String:
		return ownText(unquote(a.text)), nil
	case Binary:
		data, _ := a.Bytes()
		return bytes.Clone(data), nil
	case Array:
		list := []any{}
		for element := range a.Elements() {
			v, err := element.value()
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	case Object:
		m := make(map[string]any)
		for name, member := range a.Fields() {
			v, err := member.value()
			if err != nil {
				return nil, err
			}
			m[ownText(name)] = v
		}
		return m, nil
	}
	return nil, nil
}

// ownText returns a copy of s in which each byte that is not UTF-8 is U+FFFD, as in
// encoding/json.
func ownText(s string) string {
	if !utf8.ValidString(s) {
		return string([]rune(s))
	}
	return strings.Clone(s)
}

// MarshalJSON lets encoding/json write an argument. It fails for one that has
// attachments, which have no JSON.
func (a Arg) MarshalJSON() ([]byte, error) {
	if a.HasBinary() {
		return nil, errors.New("packet: an attachment has no JSON")
	}
	return []byte(a.json()), nil
}

// UnmarshalJSON lets encoding/json read an argument as a part of something.
func (a *Arg) UnmarshalJSON(data []byte) error {
	i := skipSpace(data, 0)
	end, reason := scanValue(data, i, depthCeiling)
	if reason != "" || skipSpace(data, end) != len(data) {
		return errRaw
	}
	*a = Arg{text: string(data[i:end])}
	return nil
}
