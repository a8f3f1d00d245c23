package packet

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"sync"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// v1 makes the next encoding/json do what today's does, without escapes for HTML.
var v1 = jsonx.JoinOptions(jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false))

// traits are what a type decides about the library that does it.
type traits struct {
	// attachments: a value can hold what encoding/json would not encode as
	// NewArgs has to: a []byte, an Arg, an Appender, or an interface that may
	// hold one of them.
	attachments bool
	// number: it has a json.Number, which is a string to the next encoding/json.
	number bool
}

var knownTraits sync.Map // reflect.Type → traits

func traitsOf(t reflect.Type) traits {
	if known, ok := knownTraits.Load(t); ok {
		return known.(traits)
	}
	var found traits
	found.find(t, make(map[reflect.Type]bool))
	knownTraits.Store(t, found)
	return found
}

var (
	typeArg           = reflect.TypeFor[Arg]()
	typeArgs          = reflect.TypeFor[Args]()
	typeAppender      = reflect.TypeFor[Appender]()
	typeMarshaler     = reflect.TypeFor[json.Marshaler]()
	typeTextMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
	typeNumber        = reflect.TypeFor[json.Number]()
)

func (found *traits) find(t reflect.Type, seen map[reflect.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch {
	case t == typeNumber:
		found.number = true
		return
	case t == typeArg, t == typeArgs, implements(t, typeAppender):
		found.attachments = true
		return
	case implements(t, typeMarshaler), implements(t, typeTextMarshaler):
		return // writes itself
	}
	switch t.Kind() {
	case reflect.Interface:
		found.attachments = true
	case reflect.Slice:
		if isBytes(t) {
			found.attachments = true
		}
		found.find(t.Elem(), seen)
	case reflect.Map:
		found.find(t.Key(), seen)
		found.find(t.Elem(), seen)
	case reflect.Pointer, reflect.Array:
		found.find(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if f.IsExported() || f.Anonymous {
				found.find(f.Type, seen)
			}
		}
	}
}

func implements(t, what reflect.Type) bool {
	return t.Implements(what) || t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(what)
}

// isBytes reports whether t is []byte or a named type of it that has no encoding
// of its own: what encoding/json writes in base64.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 &&
		!implements(t.Elem(), typeMarshaler) && !implements(t.Elem(), typeTextMarshaler) &&
		!implements(t, typeMarshaler) && !implements(t, typeTextMarshaler)
}

func (b *builder) appendReflect(dst []byte, v any) ([]byte, error) {
	if !traitsOf(reflect.TypeOf(v)).attachments {
		return appendPlain(dst, v)
	}
	if b.depth >= goDepth {
		return dst, errNesting
	}
	b.depth++
	defer func() { b.depth-- }()
	e := newMarshaler()
	defer e.free()
	e.builder = b
	e.out.b = dst
	err := jsonx.MarshalWrite(&e.out, v, e.options)
	if err != nil {
		return dst, err
	}
	return e.out.b, nil
}

// sliceWriter is an io.Writer that appends.
type sliceWriter struct{ b []byte }

func (w *sliceWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}

// plainEncoder is an encoding/json that does not escape for HTML.
type plainEncoder struct {
	out     sliceWriter
	encoder *json.Encoder
}

var plainEncoders = sync.Pool{New: func() any {
	e := new(plainEncoder)
	e.encoder = json.NewEncoder(&e.out)
	e.encoder.SetEscapeHTML(false)
	return e
}}

func appendPlain(dst []byte, v any) ([]byte, error) {
	e := plainEncoders.Get().(*plainEncoder)
	defer func() {
		e.out.b = nil
		plainEncoders.Put(e)
	}()
	e.out.b = dst
	if err := e.encoder.Encode(v); err != nil {
		return dst, err
	}
	return e.out.b[:len(e.out.b)-1], nil // without the newline
}

// marshaler encodes values with attachments anywhere within them. The functions
// that do so are bound to it, so it is kept, with what they have learned of types.
type marshaler struct {
	builder *builder
	out     sliceWriter
	options jsonx.Options
	scratch []byte
}

var marshalers sync.Pool // of *marshaler

func newMarshaler() *marshaler {
	if e, ok := marshalers.Get().(*marshaler); ok {
		return e
	}
	e := new(marshaler)
	e.options = jsonx.JoinOptions(v1, jsonx.WithMarshalers(jsonx.MarshalToFunc(e.marshal)))
	return e
}

func (e *marshaler) free() {
	e.builder, e.out.b = nil, nil
	if cap(e.scratch) <= keepAtMost {
		marshalers.Put(e)
	}
}

// marshal is called with a pointer to every value on the way. It leaves to the
// library all that is no attachment, argument or Appender.
func (e *marshaler) marshal(enc *jsontext.Encoder, v any) error {
	out := e.scratch[:0]
	var err error
	switch v := v.(type) {
	case *string, *int, *int64, *float64, *bool:
		return errors.ErrUnsupported // most are; spare them the rest
	case *any:
		if *v == nil {
			return errors.ErrUnsupported
		}
		out, err = e.builder.append(out, *v, 0)
	case *json.Number:
		out, err = e.builder.append(out, *v, 0)
	case *map[string]any:
		out, err = e.builder.append(out, *v, 0)
	case *[]any:
		out, err = e.builder.append(out, *v, 0)
	case *[]byte:
		if *v == nil {
			return enc.WriteToken(jsontext.Null)
		}
		out = e.builder.appendBytes(out, *v)
	case *Arg:
		out = e.builder.appendArg(out, *v)
	case *Args:
		out = e.builder.appendArgs(out, *v)
	case Appender:
		out, err = appendAppender(out, v)
	default:
		r := reflect.ValueOf(v).Elem()
		if r.Kind() != reflect.Slice || !isBytes(r.Type()) {
			return errors.ErrUnsupported
		}
		if r.IsNil() {
			return enc.WriteToken(jsontext.Null)
		}
		out = e.builder.appendBytes(out, r.Bytes())
	}
	if err != nil {
		return err
	}
	e.scratch = out
	return enc.WriteValue(out)
}
