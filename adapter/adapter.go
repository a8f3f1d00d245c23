// Package adapter is what stands between a namespace and its rooms. An
// [Adapter] keeps who is in which room, delivers broadcasts, and, when there
// are several instances, carries both to the others. [Memory] is the one for a
// single instance; others are made of it and of a way to reach the rest.
//
// Package adaptertest checks that an adapter does what this package says.
package adapter

import (
	"context"
	"log/slog"
	"time"

	"github.com/seed3686fee0/parlor/server/packet"
)

// A Member is something that is in rooms and gets what is broadcast to them: a
// socket of this instance, or another kind of receiver. Its methods are safe
// for concurrent use.
type Member interface {
	// ID is the member's id, which is also the name of a room of its own. It
	// does not change.
	ID() string
	// Deliver queues a packet. It is called in the order of the broadcasts,
	// under the adapter's lock: it does not block and does not call the
	// adapter. It reports whether Flush should be called once the broadcast
	// has reached everyone.
	Deliver(p *packet.Shared, f Flags) (flush bool)
	// Flush helps to write what is queued. It may wait for the kernel, and for
	// a moment (100 ms at most) for a peer that has fallen behind just now.
	Flush()
	// Ask is Deliver for a packet with an acknowledgement id: reply is called
	// once, with the acknowledgement, or with ok false when the member is gone
	// before it came. It is not called after Forget.
	Ask(p *packet.Shared, f Flags, reply func(args packet.Args, ok bool)) (flush bool)
	// Forget ends the wait for an acknowledgement.
	Forget(id uint64)
	// Disconnect ends the member as the application of the server; with
	// closeConn the connection under it as well. It does not wait.
	Disconnect(closeConn bool)
	// Describe says who the member is, for FetchSockets. Rooms are filled in
	// by the adapter.
	Describe() SocketInfo
}

// A Reacher is a [Member] that is in its rooms for longer than it can be reached: a
// while before, for what is to happen first, and a while after. While Reachable says
// that it cannot, nobody waits for an acknowledgement of it. It does not block and
// does not call the adapter.
type Reacher interface {
	Member
	Reachable() bool
}

// Flags are how a packet is to be delivered.
type Flags struct {
	// Volatile: the packet may be dropped for a member that is not ready.
	Volatile bool
	// NoCompress: compressing the packet is not worth it.
	NoCompress bool
}

// A Target says whom an operation concerns.
type Target struct {
	// Rooms whose members are meant, each once. None: everyone in the namespace.
	Rooms []string
	// Except are rooms whose members are left out.
	Except []string
	// Flags of a broadcast.
	Flags Flags
	// Local: only members of this instance.
	Local bool
	// Timeout of an acknowledgement, as other instances are told it.
	Timeout time.Duration
}

// A SocketInfo describes a socket, perhaps of another instance.
type SocketInfo struct {
	ID        string
	Handshake Handshake
	Rooms     []string
	Data      packet.Arg
}

// A Handshake is what a socket's handshake was, in the form in which instances
// tell each other.
type Handshake struct {
	Headers map[string]string `json:"headers"`
	Time    string            `json:"time"`
	Address string            `json:"address"`
	XDomain bool              `json:"xdomain"`
	Secure  bool              `json:"secure"`
	Issued  int64             `json:"issued"` // milliseconds since 1970
	URL     string            `json:"url"`
	Query   map[string]string `json:"query"`
	Auth    packet.Arg        `json:"-"`
}

// RoomEventKind is what has happened to a room.
type RoomEventKind string

// Room events, under the names that Node's adapter emits.
const (
	RoomCreated RoomEventKind = "create-room"
	RoomJoined  RoomEventKind = "join-room"
	RoomLeft    RoomEventKind = "leave-room"
	RoomDeleted RoomEventKind = "delete-room"
)

// A RoomEvent is something that happened to a room on this instance. ID is the
// member's; it is empty for RoomCreated and RoomDeleted.
type RoomEvent struct {
	Kind RoomEventKind
	Room string
	ID   string
}

// A Host is the namespace that an adapter works for. Its methods are safe for
// concurrent use and are called without a lock held, but for WantsRoomEvents.
type Host interface {
	// Namespace is the namespace's name.
	Namespace() string
	// Logger is for the adapter's own faults.
	Logger() *slog.Logger
	// WantsRoomEvents reports whether RoomEvents has anybody to tell. It is called
	// with the adapter's lock held: it does not block and does not call the adapter.
	WantsRoomEvents() bool
	// RoomEvents is told what happened, in order, one call at a time. What
	// several goroutines do at once one of them may tell.
	RoomEvents(events []RoomEvent)
	// NextAckID returns an acknowledgement id that nothing else of the
	// namespace on this instance has. What another instance asks a member here
	// goes out with such an id: the other's own may be in use.
	NextAckID() uint64
	// ServerSideEvent takes an event that another instance has emitted to the
	// servers: its name and arguments. reply is nil when no answer is wanted;
	// it may be called once, later, from any goroutine.
	ServerSideEvent(args packet.Args, reply func(packet.Args))
}

// A Recorder is a [Host] that keeps account of rooms: RecordRooms is told what
// RoomEvents is told, but before the operation that has changed the rooms returns,
// however slow they are who hear of RoomEvents. It is called in order, with the
// adapter's lock held, while WantsRoomEvents; it does not block and does not call
// the adapter. [Memory], and what is made of it, asks its host once whether it is one.
type Recorder interface {
	Host
	RecordRooms(events []RoomEvent)
}

// A Factory makes the adapter of a namespace. It is called while the server's
// namespaces are locked: it calls nothing of the server's and waits for nothing.
// What has to be connected first is connected meanwhile, and its absence is a
// state of the adapter, not an error of the factory.
type Factory func(h Host) Adapter

// An Adapter keeps the rooms of one namespace. All methods are safe for
// concurrent use. An operation that concerns other instances never waits for
// them unless it returns something of theirs, and then for ctx at the longest.
//
// What is broadcast from one instance to one room reaches its members on that
// instance in one order, the same for all of them.
type Adapter interface {
	// Add makes a member known, in the room of its own id.
	Add(m Member)
	// Join puts a member into rooms. It reports false, and does nothing, when
	// the member is not known (any more).
	Join(id string, rooms ...string) bool
	// JoinWithin is Join for a member that may be in so many rooms beside its own.
	// It reports false, and joins none, when it would come to be in more. A member
	// that is not known would not.
	JoinWithin(most int, id string, rooms ...string) bool
	// Leave takes a member out of rooms, its own included when it is named.
	Leave(id string, rooms ...string)
	// Remove takes a member out of all rooms and forgets it.
	Remove(id string)
	// RoomsOf returns the rooms of a member, its own first, and whether it is known.
	RoomsOf(id string) ([]string, bool)
	// In reports whether a member of this instance is in a room.
	In(id, room string) bool
	// Len returns how many members of this instance are in a room.
	Len(room string) int
	// RoomNames returns the rooms that have members on this instance.
	RoomNames() []string
	// Member returns a member of this instance.
	Member(id string) (Member, bool)
	// Count is the number of members of this instance.
	Count() int
	// Members returns the members of this instance that are meant.
	Members(t Target) []Member

	// Broadcast delivers a packet to the members that are meant.
	Broadcast(p *packet.Shared, t Target)
	// BroadcastWithAck is Broadcast for a packet with an acknowledgement id,
	// which is one of this instance: see Host.NextAckID.
	// It returns when the packet is on its way. clients is called once for
	// each instance with the number of members there; reply once for each
	// acknowledgement (ok false: the member is gone), until ctx ends. Neither
	// is called concurrently with itself.
	BroadcastWithAck(ctx context.Context, p *packet.Shared, t Target, clients func(n int), reply func(args packet.Args, ok bool))
	// FetchSockets describes the members that are meant, on all instances. The
	// error says how many instances did not answer; the rest is valid.
	FetchSockets(ctx context.Context, t Target) ([]SocketInfo, error)
	// SocketsJoin puts the members that are meant into rooms.
	SocketsJoin(t Target, rooms ...string)
	// SocketsLeave takes the members that are meant out of rooms.
	SocketsLeave(t Target, rooms ...string)
	// DisconnectSockets disconnects the members that are meant.
	DisconnectSockets(t Target, closeConn bool)
	// ServerSideEmit sends an event to the other instances.
	ServerSideEmit(args packet.Args) error
	// ServerSideAsk sends an event to the other instances and returns what
	// they answer. The error says how many did not.
	ServerSideAsk(ctx context.Context, args packet.Args) ([]packet.Args, error)
	// ServerCount returns the number of instances, this one included; beside an
	// error the last one that was known.
	ServerCount(ctx context.Context) (int, error)
	// Close ends what the adapter has started. Nothing of other instances is
	// delivered afterwards. Closing again does nothing.
	Close() error
}
