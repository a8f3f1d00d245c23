package packet

import (
	"errors"
	"math"
	"sync"
)

var (
	errPlaceholder = errors.New("a value next to attachments looks like a placeholder")
	errTooLong     = errors.New("arguments too long")
)

// builder makes a list of arguments: their text and what the placeholders in it
// refer to. Not safe for concurrent use.
type builder struct {
	text         []byte
	starts       []int
	ends         []int
	attachments  []attachment
	placeholders int // how many of them text has
	depth        int // of appendReflect
}

// attachment is one of the list to be made. If it is from another list, from and
// num tell which it is there, so that it is sent once however often it is referred
// to: receivers refuse more than a few.
type attachment struct {
	data []byte
	from *attachmentList
	num  int
}

var builders = sync.Pool{New: func() any { return new(builder) }}

// keepAtMost is the size up to which a buffer is kept for the next use: one large
// message shall not stay in memory.
const keepAtMost = 64 << 10

func newBuilder() *builder { return builders.Get().(*builder) }

func (b *builder) free() {
	if cap(b.text) > keepAtMost {
		return
	}
	clear(b.attachments)
	*b = builder{text: b.text[:0], starts: b.starts[:0], ends: b.ends[:0], attachments: b.attachments[:0]}
	builders.Put(b)
}

// begin and end go around each argument.
func (b *builder) begin() {
	if len(b.starts) > 0 {
		b.text = append(b.text, ',')
	}
	b.starts = append(b.starts, len(b.text))
}

func (b *builder) end() { b.ends = append(b.ends, len(b.text)) }

// arg adds a copy of an argument of another list.
func (b *builder) arg(a Arg) {
	b.begin()
	b.text = b.appendArg(b.text, a)
	b.end()
}

func (b *builder) appendArg(dst []byte, a Arg) []byte {
	if a.att == nil {
		return append(dst, a.json()...)
	}
	i := 0
	for {
		holder, next, ok := nextPlaceholder(a.text, i)
		if !ok || holder.end == 0 {
			return append(dst, a.text[i:]...)
		}
		dst = append(dst, a.text[i:holder.start]...)
		dst = b.appendPlaceholder(dst, b.adopt(a.att, holder.num))
		i = next
	}
}

// adopt returns the number that an attachment of another list has in this one.
func (b *builder) adopt(from *attachmentList, num int) int {
	for i, have := range b.attachments {
		if have.from == from && have.num == num {
			return i
		}
	}
	b.attachments = append(b.attachments, attachment{data: from.list[num], from: from, num: num})
	return len(b.attachments) - 1
}

// appendBytes appends a placeholder for a copy of data.
func (b *builder) appendBytes(dst, data []byte) []byte {
	b.attachments = append(b.attachments, attachment{data: append(make([]byte, 0, len(data)), data...)})
	return b.appendPlaceholder(dst, len(b.attachments)-1)
}

func (b *builder) appendPlaceholder(dst []byte, num int) []byte {
	b.placeholders++
	return AppendPlaceholder(dst, num)
}

// list returns what has been built. With errPlaceholder it is complete all the
// same, but must not be sent.
func (b *builder) list() (*list, error) {
	if len(b.text) > math.MaxInt32 {
		return &list{forged: true}, errTooLong
	}
	l := &list{text: string(b.text)}
	l.grow(len(b.starts))
	for i, start := range b.starts {
		l.add(start, b.ends[i])
	}
	if len(b.attachments) == 0 {
		return l, nil
	}
	l.att = &attachmentList{list: make([][]byte, len(b.attachments))}
	for i, a := range b.attachments {
		l.att.list[i] = a.data
	}
	if n, _, ok := countPlaceholders(l.text, len(l.att.list)); !ok || n != b.placeholders {
		return l, errPlaceholder
	}
	return l, nil
}
