package packet

import (
	"iter"
	"strings"
)

// Kind is what an [Arg] holds.
type Kind uint8

// The kinds of arguments. Binary is an attachment, the rest are JSON's.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
	Binary
)

// String returns the name of the kind in lower case.
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "bool"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	case Binary:
		return "binary"
	}
	return "unknown"
}

// Arg is one argument of a packet, or a part of one. The zero Arg is null.
//
// An Arg is immutable, may be read from several goroutines and is cheap to copy.
// It shares memory with the packet it is of: one that is kept for long should be
// a [Arg.Clone].
type Arg struct {
	text string          // valid JSON without white space around it; "" is null
	att  *attachmentList // what the placeholders within refer to; nil: there are none
}

// attachmentList holds the binary parts of one packet, shared by its arguments.
type attachmentList struct {
	list [][]byte
}

// Kind returns what the argument holds.
func (a Arg) Kind() Kind {
	if a.text == "" {
		return Null
	}
	switch a.text[0] {
	case '"':
		return String
	case '{':
		if _, ok := a.Bytes(); ok {
			return Binary
		}
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	}
	return Number
}

// Text returns the value of a string. It allocates only where the string has
// escapes; otherwise the result shares memory with the packet, so strings.Clone
// what is kept for long.
func (a Arg) Text() (string, bool) {
	if a.text == "" || a.text[0] != '"' {
		return "", false
	}
	return unquote(a.text), true
}

// Bool returns the value of true and false.
func (a Arg) Bool() (value, ok bool) {
	switch a.text {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	return false, false
}

// Number returns a number as it was written, which may be one that no Go type
// can hold. The result shares memory with the packet.
func (a Arg) Number() (string, bool) {
	if a.text == "" || a.text[0] != '-' && !isDigit(a.text[0]) {
		return "", false
	}
	return a.text, true
}

// Bytes returns the attachment, if the argument is one. It is shared with all
// who hold the packet and must not be modified; [Arg.Decode] copies.
func (a Arg) Bytes() ([]byte, bool) {
	if a.att == nil || a.text == "" || a.text[0] != '{' {
		return nil, false
	}
	end, num, ok := parsePlaceholder(a.text, 0)
	if !ok || end != len(a.text) || num >= len(a.att.list) {
		return nil, false
	}
	return a.att.list[num], true
}

// HasBinary reports whether the argument is or contains an attachment.
func (a Arg) HasBinary() bool {
	if a.att == nil {
		return false
	}
	holder, _, ok := nextPlaceholder(a.text, 0)
	return ok && holder.end > 0
}

// AppendJSON appends the argument as JSON, in the words of whoever wrote it. What
// it appends for an argument that has attachments is of no use without them: see
// [Arg.HasBinary].
func (a Arg) AppendJSON(dst []byte) []byte {
	return append(dst, a.json()...)
}

func (a Arg) json() string {
	if a.text == "" {
		return "null"
	}
	return a.text
}

// Fields returns the members of an object in the order in which they were
// written, those with the same name included. For another kind it is empty.
func (a Arg) Fields() iter.Seq2[string, Arg] {
	return func(yield func(string, Arg) bool) { a.fields(yield) }
}

func (a Arg) fields(yield func(string, Arg) bool) {
	s := a.text
	if s == "" || s[0] != '{' || a.Kind() == Binary {
		return
	}
	for i := skipSpace(s, 1); i < len(s) && s[i] == '"'; {
		end := skipString(s, i)
		name := unquote(s[i:end])
		i = skipSpace(s, skipSpace(s, end)+1) // past the colon
		end = skipValue(s, i)
		if !yield(name, Arg{text: s[i:end], att: a.att}) {
			return
		}
		i = skipSpace(s, skipSpace(s, end)+1) // past the comma
	}
}

// Elements returns the elements of an array. For another kind it is empty.
func (a Arg) Elements() iter.Seq[Arg] {
	return func(yield func(Arg) bool) { a.elements(yield) }
}

func (a Arg) elements(yield func(Arg) bool) {
	s := a.text
	if s == "" || s[0] != '[' {
		return
	}
	for i := skipSpace(s, 1); i < len(s) && s[i] != ']'; {
		end := skipValue(s, i)
		if !yield(Arg{text: s[i:end], att: a.att}) {
			return
		}
		i = skipSpace(s, skipSpace(s, end)+1) // past the comma
	}
}

// Clone returns a copy that shares no memory with the packet the argument came
// with, so that keeping a small argument does not keep a large message.
func (a Arg) Clone() Arg {
	if a.att == nil {
		return Arg{text: strings.Clone(a.text)}
	}
	args, err := NewArgs(a)
	if err != nil {
		return Arg{} // not reached: a is valid
	}
	args.list.own()
	return args.At(0)
}
