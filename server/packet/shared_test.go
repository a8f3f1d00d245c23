package packet_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
)

func TestSharedEncodesOnce(t *testing.T) {
	var calls [3]atomic.Int32
	text := func(p *packet.Packet) string {
		out, _, _ := packet.Append(nil, p)
		return string(out)
	}
	long := &packet.Format[string]{Name: "long", Encode: func(p *packet.Packet) (string, error) {
		calls[0].Add(1)
		return text(p), nil
	}}
	short := &packet.Format[string]{Name: "short", Encode: func(p *packet.Packet) (string, error) {
		calls[1].Add(1)
		return text(p)[:1], nil
	}}
	length := &packet.Format[int]{Name: "length", Encode: func(p *packet.Packet) (int, error) {
		calls[2].Add(1)
		return len(text(p)), errors.New("remembered")
	}}
	s := packet.NewShared(*mustDecode(t, `2["e",1]`))
	if s.Packet().Name() != "e" {
		t.Error(s.Packet())
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				if got, err := packet.Encoding(s, long); got != `2["e",1]` || err != nil {
					t.Errorf("long %q, %v", got, err)
				}
				if got, err := packet.Encoding(s, short); got != `2` || err != nil {
					t.Errorf("short %q, %v", got, err)
				}
				if got, err := packet.Encoding(s, length); got != 8 || err == nil {
					t.Errorf("length %d, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	for i := range calls {
		if n := calls[i].Load(); n != 1 {
			t.Errorf("format %d was encoded %d times", i, n)
		}
	}
}

func TestSharedPanic(t *testing.T) {
	fail := true
	f := &packet.Format[int]{Encode: func(*packet.Packet) (int, error) {
		if fail {
			panic("no")
		}
		return 1, nil
	}}
	s := packet.NewShared(packet.Packet{})
	func() {
		defer func() { _ = recover() }()
		_, _ = packet.Encoding(s, f)
	}()
	fail = false
	if n, err := packet.Encoding(s, f); n != 1 || err != nil {
		t.Errorf("after a panic: %d, %v", n, err)
	}
}
