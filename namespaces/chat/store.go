package chat

import "context"

// A store keeps what the sockets of a chat have in common: who is in which
// room, and what has been sent before. It is the chat's, not one instance's: with
// several instances they share one, and the interface is written for that.
//
//   - A socket is named by its id, so that an instance that dies can be cleaned
//     up after: whoever finds that it is gone makes the sockets leave that it had
//     put in, and announces those users who have left by that.
//   - A change and the count after it are one step, which makes the counts that
//     are announced right whichever instance announces them.
//   - Nothing is asked of a store in the course of a message but recall and
//     remember, and those only for a message that has a clientMsgId.
//
// All methods are safe for concurrent use and may wait for another machine, for
// ctx at the longest. An error means that nothing has changed.
type store interface {
	// join counts a socket in a room, which it was not in.
	join(ctx context.Context, room, socket string, u User) (change, error)
	// leave takes a socket out of a room, which it was in.
	leave(ctx context.Context, room, socket, userID string) (change, error)
	// rename changes the name under which a room lists a user.
	rename(ctx context.Context, room string, u User) error
	// members lists the users of a room, those first who came first, at most so
	// many of them, and says how many there are.
	members(ctx context.Context, room string, atMost int) (users []User, count int, err error)

	// recall returns the message that a user has sent under a clientMsgId not
	// long ago, see repeatWindow; false if there is none.
	recall(ctx context.Context, userID, clientMsgID string) (messageID, bool, error)
	// remember notes that a user sends a message under a clientMsgId, unless
	// there is one: then it returns that, and true. Of two who call it at once
	// one is first.
	remember(ctx context.Context, userID, clientMsgID string, id messageID) (first messageID, repeated bool, err error)
}

// A change is what a join or a leave has made of a room.
type change struct {
	turned bool // by it the user, not just a socket, has come or gone
	count  int  // of users in the room
}
