package packet_test

import (
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
)

// The budgets of the message path: an event that comes in, is looked at and goes
// out again.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	d := packet.NewDecoder(packet.Limits{})
	text := []byte(`2/chat,12["message",{"room":"lobby","seq":1},"x",true]`)
	p := mustDecode(t, string(text))
	object := p.Args.At(1)
	bin := decodeBinary(t, `51-["e",{"a":{"_placeholder":true,"num":0}}]`, "A")
	dst := make([]byte, 0, 256)
	name, arg := any("message"), any(object)
	format := &packet.Format[*packet.Packet]{Encode: func(p *packet.Packet) (*packet.Packet, error) { return p, nil }}
	shared := packet.NewShared(*p)
	_, _ = packet.Encoding(shared, format)
	attachment := []byte("data")

	for _, test := range []struct {
		name string
		max  float64
		do   func()
	}{
		{"Text: the packet and its text", 2, func() { _, _ = d.Text(text) }},
		{"Text and Binary: the attachments as well", 4, func() {
			_, _ = d.Text([]byte(`51-["e",{"_placeholder":true,"num":0}]`))
			_, _ = d.Binary(attachment)
		}},
		{"Name", 0, func() { _ = p.Name() }},
		{"At and Text", 0, func() { _, _ = p.Args.At(2).Text() }},
		{"Slice", 0, func() { _ = p.Args.Slice(1).Len() }},
		{"Kind", 0, func() { _ = bin.Args.At(1).Kind() }},
		{"HasBinary", 0, func() { _ = bin.Args.HasBinary() }},
		{"Fields", 0, func() {
			for _, v := range object.Fields() {
				_, _ = v.Number()
			}
		}},
		{"Elements", 0, func() {
			for range object.Elements() {
				t.Error("elements of an object")
			}
		}},
		{"AppendJSON", 0, func() { _ = object.AppendJSON(dst) }},
		{"Append", 0, func() { _, _, _ = packet.Append(dst, p) }},
		{"Append with attachments", 0, func() { _, _, _ = packet.Append(dst, bin) }},
		{"Encoding", 0, func() { _, _ = packet.Encoding(shared, format) }},
		{"NewArgs: the list and its text", 2, func() { _, _ = packet.NewArgs(name, arg) }},
		{"EventArgs of scalars", 2, func() { _, _ = packet.EventArgs("message", 1, "x", true) }},
		{"EventArgs of more than four", 3, func() { _, _ = packet.EventArgs("message", 1, "x", true, nil) }},
		{"Args.Append to more than four", 3, func() { _ = p.Args.Append(object) }},
		{"Decode of a string: the variable and the copy", 2, func() {
			var s string
			_ = p.Args.At(2).Decode(&s)
		}},
	} {
		// A little above, for a garbage collection empties the pools.
		if got := testing.AllocsPerRun(200, test.do); got > test.max+0.5 {
			t.Errorf("%s: %v allocations, want %v", test.name, got, test.max)
		}
	}
}
