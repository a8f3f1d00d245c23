package adapter_test

import (
	"slices"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
)

// A recorder is a host whose handlers of room events are slow.
type recorder struct {
	quiet

	recorded, told []adapter.RoomEvent
	meanwhile      func()
}

func (*recorder) WantsRoomEvents() bool { return true }

func (r *recorder) RoomEvents(events []adapter.RoomEvent) {
	r.told = append(r.told, events...)
	if f := r.meanwhile; f != nil {
		r.meanwhile = nil
		f()
	}
}

func (r *recorder) RecordRooms(events []adapter.RoomEvent) {
	r.recorded = append(r.recorded, events...)
}

// A recorder knows of a change when the operation that made it returns, also while
// others are still being told of one before it; both are told the same.
func TestRecorder(t *testing.T) {
	r := &recorder{}
	m := adapter.NewMemory(r)
	r.meanwhile = func() {
		m.Join("a", "r")
		last := adapter.RoomEvent{Kind: adapter.RoomJoined, Room: "r", ID: "a"}
		if !slices.Contains(r.recorded, last) || slices.Contains(r.told, last) {
			t.Errorf("recorded %v, told %v", r.recorded, r.told)
		}
	}
	m.Add(&sink{id: "a"})
	m.Remove("a")
	if len(r.recorded) != 8 || !slices.Equal(r.recorded, r.told) {
		t.Errorf("recorded %v, told %v", r.recorded, r.told)
	}
}
