//go:build !race

package msgpack_test

import (
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// The budgets are JSON's: a packet and its text, with attachments their list too.
func TestAllocations(t *testing.T) {
	d := msgpack.Parser{}.Decoders(packet.Limits{})()
	dst := make([]byte, 0, 1024)
	for _, test := range []struct {
		name   string
		values []any
		max    float64
	}{
		{"values", []any{map[string]any{"room": "lobby", "seq": 1, "at": 1.5, "on": true}, "x"}, 2},
		{"bytes", []any{[]byte("data")}, 4},
	} {
		args, err := packet.EventArgs("message", test.values...)
		if err != nil {
			t.Fatal(err)
		}
		p := &packet.Packet{Type: packet.Event, Namespace: "/chat", HasID: true, ID: 7, Args: args}
		message, _, err := msgpack.Parser{}.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		// A little above, for a garbage collection empties the pools.
		if got := testing.AllocsPerRun(200, func() { _, _ = d.Binary(message) }); got > test.max+0.5 {
			t.Errorf("%s: Binary: %v allocations, want %v", test.name, got, test.max)
		}
		if got := testing.AllocsPerRun(200, func() { _, _, _ = msgpack.Parser{}.Append(dst, p) }); got > 0.5 {
			t.Errorf("%s: Append: %v allocations", test.name, got)
		}
	}
}
