package wire

import (
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/msgjson"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A writer makes the JSON text of a message. Only one list of arguments in it
// may have attachments.
type writer struct {
	text []byte
	args []byte
	att  [][]byte
	err  error
}

var writers = sync.Pool{New: func() any { return new(writer) }}

func newWriter() *writer { return writers.Get().(*writer) }

func (w *writer) free() {
	if cap(w.text) > keepAtMost || cap(w.args) > keepAtMost {
		return
	}
	*w = writer{text: w.text[:0], args: w.args[:0]}
	writers.Put(w)
}

// finish returns the payload: as MessagePack if that is asked for, or if there
// are bytes in it, which JSON cannot carry.
func (w *writer) finish(asMsgpack bool) ([]byte, error) {
	if w.err != nil {
		return nil, refuse("message", w.err)
	}
	if !asMsgpack && len(w.att) == 0 {
		return append(make([]byte, 0, len(w.text)), w.text...), nil
	}
	size := len(w.text) // what is text is rarely longer then
	for _, b := range w.att {
		size += len(b)
	}
	payload, err := msgjson.Append(make([]byte, 0, size), string(w.text), w.att)
	if err != nil {
		return nil, refuse("message", err)
	}
	return payload, nil
}

func (w *writer) raw(s string) { w.text = append(w.text, s...) }

// member begins a member of an object: a comma unless it is the first, its name.
func (w *writer) member(name string) {
	if c := w.text[len(w.text)-1]; c != '{' {
		w.text = append(w.text, ',')
	}
	w.text = append(append(append(w.text, '"'), name...), '"', ':')
}

func (w *writer) quote(s string) { w.text, _ = jsontext.AppendQuote(w.text, s) } // not UTF-8: U+FFFD

func (w *writer) string(name, s string) {
	w.member(name)
	w.quote(s)
}

func (w *writer) optional(name, s string) {
	if s != "" {
		w.string(name, s)
	}
}

func (w *writer) int(name string, n int) {
	w.member(name)
	w.text = strconv.AppendInt(w.text, int64(n), 10)
}

func (w *writer) bool(name string, v bool) {
	w.member(name)
	w.text = strconv.AppendBool(w.text, v)
}

func (w *writer) strings(name string, list []string) {
	w.member(name)
	w.text = append(w.text, '[')
	for i, s := range list {
		if i > 0 {
			w.text = append(w.text, ',')
		}
		w.quote(s)
	}
	w.text = append(w.text, ']')
}

// array writes arguments as an array.
func (w *writer) array(args packet.Args) {
	var err error
	if w.args, w.att, err = split(w.args[:0], args); err != nil {
		w.err = err
		return
	}
	w.text = append(w.text, w.args...)
}

// values writes what an answer says: the first value under the name that Node
// reads, and the rest beside it.
func (w *writer) values(name string, args packet.Args) {
	if args.Len() == 0 {
		return
	}
	if args.Len() == 1 {
		w.member(name)
		w.only(args)
		return
	}
	// All values have their attachments in common: they are written as one
	// array, which is then taken apart. Its text is the list's own, with no
	// white space around the commas.
	args = args.Append()
	if w.args, w.att, w.err = split(w.args[:0], args); w.err != nil {
		return
	}
	end := 1 + len(args.At(0).AppendJSON(nil))
	w.member(name)
	w.text = append(w.text, w.args[1:end]...)
	w.member("more")
	w.text = append(append(w.text, '['), w.args[end+1:]...)
}

// only writes the one argument that there is, without brackets around it.
func (w *writer) only(args packet.Args) {
	if w.args, w.att, w.err = split(w.args[:0], args); w.err == nil {
		w.text = append(w.text, w.args[1:len(w.args)-1]...)
	}
}

// packet writes {type, data, nsp}.
func (w *writer) packet(args packet.Args, namespace string) {
	w.raw(`{"type":2,"data":`)
	w.array(args)
	w.optional("nsp", namespace)
	w.raw("}")
}

// target writes {rooms, except} and, if they are wanted, flags.
func (w *writer) target(t *adapter.Target, flags bool) {
	w.raw("{")
	w.strings("rooms", t.Rooms)
	w.strings("except", t.Except)
	if flags {
		w.member("flags")
		w.raw("{")
		if t.Flags.Volatile {
			w.bool("volatile", true)
		}
		if t.Flags.NoCompress {
			w.bool("compress", false)
		}
		if t.Timeout > 0 {
			w.int("timeout", int(max(1, t.Timeout/time.Millisecond)))
		}
		w.raw("}")
	}
	w.raw("}")
}

// sockets writes what describes sockets.
func (w *writer) sockets(infos []adapter.SocketInfo) {
	w.member("sockets")
	args, err := describe(infos)
	if err != nil {
		w.err = err
		return
	}
	w.only(args)
}
