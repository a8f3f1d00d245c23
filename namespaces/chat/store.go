package chat

import "context"

// A Store keeps what the sockets of a chat have in common: who is in which room
// and how present, what has been sent before, and what is kept of it. It is the
// chat's, not one instance's: with several instances they share its state, and
// the interface is written for that. There is one Store for each namespace that a
// chat is mounted on, with a state of its own.
//
//   - Each method is one step, which happens as a whole or not at all, whatever
//     other instances do meanwhile: in Redis one script, one round trip.
//   - An error means that nothing has changed. Where that cannot be known, as
//     when an answer is lost, it is safe to call again: a method that finds its
//     change made already makes none.
//   - A change and the counts after it are one step, which makes the counts that
//     are announced right whichever instance announces them.
//   - A socket is named by its id, and SetStatus is the first and Remove the last
//     that is said of it; so a store can know which sockets an instance that has
//     died had, and the [Watcher] of one that is alive cleans up after them.
//   - The user whose id is its socket's, as an anonymous one's is, has no other
//     socket, now or ever. Of such a socket, when it is online, a store need to
//     keep no more than that it is there.
//   - Rooms, user ids and keys are any texts, and none is taken for another.
//   - A Post and a Query are the caller's, who uses their memory again: a store
//     copies of them what it keeps, and so the key of a Recall. Rooms, sockets and
//     users elsewhere are there to be kept. What a store returns is the caller's.
//
// The package storetest checks a store. All methods are safe for concurrent use,
// and may wait for another machine, for ctx at the longest. While one waits, its
// room waits with it: see the package's documentation.
type Store interface {
	// Join counts a socket in a room, as one of its user's. Change.Members are
	// at most so many of the room's users, this one counted; none of a negative
	// number.
	Join(ctx context.Context, room, socket string, u User, atMost int) (Change, error)
	// Leave takes a socket out of a room.
	Leave(ctx context.Context, room, socket, userID string) (Change, error)
	// Rename changes the name of a user in those of the rooms that list it.
	Rename(ctx context.Context, rooms []string, u User) error
	// Members lists the users of a room, those first who came first, at most so
	// many of them, and says how many there are.
	Members(ctx context.Context, room string, atMost int) (members []Member, count int, err error)

	// SetStatus notes that a socket is there and how present it is. It is called
	// first when the socket connects.
	SetStatus(ctx context.Context, socket, userID string, s Status) (Standing, error)
	// Remove notes that a socket is gone, which has left its rooms.
	Remove(ctx context.Context, socket, userID string) (Standing, error)
	// Connected reports whether a user has a socket, whatever its status.
	Connected(ctx context.Context, userID string) (bool, error)

	// Post notes that a message is sent, unless it has been, or is late.
	Post(ctx context.Context, p Post) (Receipt, error)
	// Recall returns the message that a user has sent under a key in the last
	// ten minutes; false if there is none.
	Recall(ctx context.Context, userID, key string) (MessageID, bool, error)
	// History returns messages of a room that are kept, in the order of their
	// ids. What is kept, and how much of it, the store decides; the room need not
	// have anybody in it.
	History(ctx context.Context, q Query) (Page, error)
}

// A Member is a user in a room.
type Member struct {
	User   User
	Status Status // of all the user's sockets, those in other rooms too
}

// A Change is what a Join or a Leave has made of a room.
type Change struct {
	Turned  bool // by it the user, not just a socket, has come or gone
	Count   int  // of users in the room
	Status  Status
	Members []Member // as Members returns them; after Join
}

// A Standing is how present a user is.
type Standing struct {
	Status  Status
	Changed bool // it is another than before, and the user was and is connected
	// Rooms are those that list the user, by any of its sockets. They may be
	// left out for a user whose id is its socket's, since the socket knows, and
	// by Remove where nothing has changed, since nobody is told.
	Rooms []string
}

// A Post is a message that is sent.
type Post struct {
	Room string
	ID   MessageID
	// Text is the message as JSON, to be kept in the history of the room; nil if
	// it is not to be kept.
	Text []byte
	// UserID has given the message the name Key, under which it is remembered for
	// ten minutes: "" for none. All messages of a user share their keys, whatever
	// the room.
	UserID, Key string
}

// A Receipt says what has become of a Post.
type Receipt struct {
	Outcome Outcome
	// ID is that of the message: for Repeated the one that was first, for Late
	// the newest of the room.
	ID MessageID
}

// An Outcome is what may become of a Post.
type Outcome uint8

const (
	// Accepted: the message is noted. It can be sent.
	Accepted Outcome = iota
	// Repeated: the user has sent a message under the key. Nothing has changed.
	// Of two that come at once one is first.
	Repeated
	// Late: a message that is to be kept is not newer than all that the room
	// keeps. Nothing has changed; it is to come again with an id after the one
	// returned. So ids ascend in a room, whichever instance makes them.
	Late
)

// A Query asks for messages of a room: those that are next to an id, which need
// not be that of a message.
type Query struct {
	Room string
	// Bound: messages before it, the last ones; or, with After, messages after
	// it, the first ones. The one with this id is not among them. [LastMessageID]
	// is after all.
	Bound MessageID
	After bool
	// Limit is how many messages there are at most.
	Limit int
	// Bytes is how many bytes they have at most, each counted with a comma; but a
	// page has one message, if there is any.
	Bytes int
}

// A Page is some messages of a room, oldest first.
type Page struct {
	Messages []string // as JSON
	More     bool     // there are more on the same side of the bound
}

// A Watcher is a Store that finds out what sockets there are whose instance has
// died, or was taken for dead. See [Chat.Watch].
type Watcher interface {
	Store
	// Watch calls gone for each socket whose instance has died, on one instance of
	// all that watch; when that fails, or the instance that was called dies as
	// well, again, there or elsewhere. gone makes the socket leave and removes it,
	// as its own instance would have done.
	//
	// An instance that was not dead may come back. It then has its sockets in the
	// lists again, and Watch, there, calls returned for each of them whose user
	// has come back to a room by that, or is as present as before: others have
	// been told otherwise. It comes after what they were told, is not about what
	// was in no list all along, and when it fails, comes again.
	//
	// Calls come one after another. Watch returns when ctx ends, with nil, or when
	// it cannot go on. One at a time watches on an instance; one that does not
	// watch is dead.
	Watch(
		ctx context.Context,
		gone func(ctx context.Context, o Orphan) error,
		returned func(ctx context.Context, r Returned) error,
	) error
}

// An Orphan is a socket whose instance has died.
type Orphan struct {
	Socket string
	User   User
	Rooms  []string // which it is in
}

// A Returned is a socket of this instance, which was taken for dead.
type Returned struct {
	Socket string
	// Rooms are those that its user is in again by this socket.
	Rooms []string
	// Changed: by it the user, who was connected elsewhere, is more present.
	Changed bool
}
