package logging

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/sirupsen/logrus"
)

// handler is a slog.Handler that logs through logrus.
//
// Groups become objects in JSON and dotted names in text, where logrus would
// print a Go map. It may be used concurrently; derived handlers share the logrus
// logger, whose lock keeps lines whole.
type handler struct {
	// All fields are static after construction.
	log    *logrus.Logger
	level  slog.Leveler
	nested bool
	scopes []scope
}

// scope is one WithGroup (a name) or one WithAttrs (attributes), in the order of
// the calls.
type scope struct {
	group string
	attrs []slog.Attr
}

func newHandler(log *logrus.Logger, level slog.Leveler, nested bool) *handler {
	return &handler{log: log, level: level, nested: nested}
}

// Enabled implements [slog.Handler].
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle implements [slog.Handler].
func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	root := fields{into: object{}, nested: h.nested}
	open := root
	for _, s := range h.scopes {
		if s.group != "" {
			open = open.group(s.group)
			continue
		}
		for _, attr := range s.attrs {
			open.add(attr)
		}
	}
	record.Attrs(func(attr slog.Attr) bool {
		open.add(attr)
		return true
	})
	dropEmpty(root.into)
	entry := logrus.Entry{Logger: h.log, Data: logrus.Fields(root.into), Time: record.Time, Context: ctx}
	entry.Log(logrusLevel(record.Level), record.Message)
	return nil
}

// WithAttrs implements [slog.Handler].
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.with(scope{attrs: attrs})
}

// WithGroup implements [slog.Handler].
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(scope{group: name})
}

func (h *handler) with(s scope) *handler {
	derived := *h
	// Clip: two handlers derived from one must not append into the same array.
	derived.scopes = append(slices.Clip(h.scopes), s)
	return &derived
}

// logrusLevel maps ranges, not values: levels between and beyond slog's four are
// legal. Panic and Fatal are never chosen, as they do more than log.
func logrusLevel(level slog.Level) logrus.Level {
	switch {
	case level >= slog.LevelError:
		return logrus.ErrorLevel
	case level >= slog.LevelWarn:
		return logrus.WarnLevel
	case level >= slog.LevelInfo:
		return logrus.InfoLevel
	case level >= slog.LevelDebug:
		return logrus.DebugLevel
	default:
		return logrus.TraceLevel
	}
}

// object is of attributes: a group's, or all. A value that is logged and is a map too is not one: it is its owner's.
type object map[string]any

// fields is where attributes go: an object, or a prefix within one.
type fields struct {
	into   object
	prefix string
	nested bool
}

func (f fields) group(name string) fields {
	if !f.nested {
		f.prefix += name + "."
		return f
	}
	inner, ok := f.into[name].(object)
	if !ok {
		inner = object{}
		f.into[name] = inner
	}
	f.into = inner
	return f
}

func (f fields) add(attr slog.Attr) {
	value := attr.Value.Resolve()
	if attr.Key == "" && value.Kind() != slog.KindGroup {
		if attr.Equal(slog.Attr{}) {
			return
		}
	}
	if value.Kind() != slog.KindGroup {
		f.into[f.prefix+attr.Key] = plain(value)
		return
	}
	if attr.Key != "" { // a group without a name is inlined
		f = f.group(attr.Key)
	}
	for _, member := range value.Group() {
		f.add(member)
	}
}

// dropEmpty removes the objects of groups that nothing was put into.
func dropEmpty(o object) {
	for key, value := range o {
		if inner, ok := value.(object); ok {
			if dropEmpty(inner); len(inner) == 0 {
				delete(o, key)
			}
		}
	}
}

// plain turns a value into what both of logrus's formatters print well: an error
// deep in JSON would be {} and a duration a count of nanoseconds.
func plain(value slog.Value) (out any) {
	defer func() {
		if r := recover(); r != nil { // the value's own method, on a nil pointer say
			out = fmt.Sprintf("!PANIC: %v", r)
		}
	}()
	switch v := value.Any().(type) {
	case error:
		return v.Error()
	case fmt.Stringer: // time.Duration, netip.Addr, …; time.Time too
		if value.Kind() == slog.KindTime {
			return value.Time().Format(timeFormat)
		}
		return v.String()
	default:
		return v
	}
}
