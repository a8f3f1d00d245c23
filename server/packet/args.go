package packet

import (
	"bytes"
	"fmt"
	"iter"
)

// Args is a list of arguments. The zero value is an empty list. It is immutable,
// may be read from several goroutines, and is two words to copy.
type Args struct {
	list     *list
	from, to uint32 // the part of list that this is
}

// list is what the Args of one packet share: their text, comma separated, and
// where each of them is in it. It is not modified once it has been handed out.
type list struct {
	text  string
	att   *attachmentList
	few   [4]span // the arguments, if they are no more than these
	many  []span  // all of them, if they are more
	count int
	// forged: an argument without attachments that looks like a placeholder
	// was joined with ones that have some; see placeholder.go.
	forged bool
}

// span is the place of an argument in a list's text.
type span struct{ start, end uint32 }

func (l *list) add(start, end int) {
	s := span{uint32(start), uint32(end)}
	if l.many == nil && l.count == len(l.few) {
		l.grow(4 * len(l.few))
	}
	if l.many != nil {
		l.many = append(l.many, s)
	} else {
		l.few[l.count] = s
	}
	l.count++
}

// grow makes room for n arguments.
func (l *list) grow(n int) {
	if n > len(l.few) {
		l.many = append(make([]span, 0, n), l.few[:l.count]...)
	}
}

func (l *list) span(i uint32) span {
	if l.many == nil {
		return l.few[i%uint32(len(l.few))]
	}
	return l.many[i]
}

func (l *list) all() Args { return Args{list: l, to: uint32(l.count)} }

// own makes the list the only holder of its attachments.
func (l *list) own() {
	if l.att == nil {
		return
	}
	att := &attachmentList{list: make([][]byte, len(l.att.list))}
	for i, b := range l.att.list {
		att.list[i] = bytes.Clone(b)
	}
	l.att = att
}

// Len returns the number of arguments.
func (a Args) Len() int { return int(a.to - a.from) }

// At returns the argument i, and null where there is none, as in JavaScript.
func (a Args) At(i int) Arg {
	if uint(i) >= uint(a.to-a.from) {
		return Arg{}
	}
	s := a.list.span(a.from + uint32(i))
	return Arg{text: a.list.text[s.start:s.end], att: a.list.att}
}

// All returns the arguments with their indexes.
func (a Args) All() iter.Seq2[int, Arg] {
	return func(yield func(int, Arg) bool) {
		for i := range a.Len() {
			if !yield(i, a.At(i)) {
				return
			}
		}
	}
}

// Slice returns the arguments without the first from: none if there are no more.
// It does not copy.
func (a Args) Slice(from int) Args {
	switch {
	case from <= 0:
		return a
	case from >= a.Len():
		return Args{}
	}
	a.from += uint32(from)
	return a
}

// HasBinary reports whether any of the arguments is or contains an attachment.
func (a Args) HasBinary() bool {
	if a.list == nil || a.list.att == nil {
		return false
	}
	for _, arg := range a.All() {
		if arg.HasBinary() {
			return true
		}
	}
	return false
}

// Append returns a list with values added to those of a, which stays as it is.
func (a Args) Append(values ...Arg) Args {
	b := newBuilder()
	defer b.free()
	for _, arg := range a.All() {
		b.arg(arg)
	}
	for _, arg := range values {
		b.arg(arg)
	}
	if len(b.starts) == 0 {
		return Args{}
	}
	l, err := b.list()
	if err != nil {
		// What was an attachment is plain data now, so that no later use of
		// the list resolves what was not one. The packet's Append tells.
		l.forged, l.att = true, nil
	}
	return l.all()
}

// Clone returns a copy that shares no memory with the packet the arguments came
// with, so that keeping a few of them does not keep a large message.
func (a Args) Clone() Args {
	args := a.Append()
	if args.list != nil {
		args.list.own()
	}
	return args
}

// Scan decodes the arguments one after another into the values that dst points
// to, as [Arg.Decode] does. A nil in dst passes its argument over. If there are
// fewer arguments the rest of dst is left as it is, and arguments for which dst
// has no place are ignored, as JavaScript does with the parameters of a function.
func (a Args) Scan(dst ...any) error {
	for i := range min(len(dst), a.Len()) {
		if dst[i] == nil {
			continue
		}
		if err := a.At(i).Decode(dst[i]); err != nil {
			return fmt.Errorf("packet: argument %d: %w", i, err)
		}
	}
	return nil
}
