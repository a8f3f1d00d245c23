// Package wire is how instances write to each other through Redis: the messages
// of Node's @socket.io/redis-adapter 8.3, in its two forms, classic and sharded,
// and what is read of them.
//
// Both forms are the same operations under different names, so there is one
// [Message] for both. Its arguments stay text: a message is made as JSON, with
// placeholders for bytes, and becomes MessagePack in one more pass over that
// text; one that is read takes the same way back. No map of anything is built.
//
// What is read may be anything. It is bounded in size and depth, and what is not
// understood entirely is refused: in doubt a message has no effect, since a list
// of rooms that is misread as empty would mean everyone. What members and emitters
// of other libraries are known to write, and Node's adapter takes, is understood.
package wire
