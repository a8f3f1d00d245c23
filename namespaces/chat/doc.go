// Package chat is a ready-made chat for a namespace of a Socket.IO server:
// rooms that one joins and leaves, messages, signs of typing, cursors, and who
// is there. A frontend that speaks the usual spellings of these events connects
// unchanged.
//
//	io := server.New()
//	chat.Mount(io.Of("/"), chat.Options{})
//	chat.Mount(io.Of("/chat"), chat.Options{}) // rooms of its own
//
// # Events
//
// Each answers the client's acknowledgement, where it wants one, with ok: true
// and what is said here:
//
//	join, join_room             "room" or {room | roomId, username?}       {room, userCount, users, history}
//	leave, leave_room           the same                                   {room}
//	message, send_message       {room | roomId, content | text, …}         {id, timestamp}
//	chat_message                the same                                   the same
//	who                         "room" or {room | roomId}                  {room, userCount, users}
//	typing                      "room" or {room | roomId, isTyping}        none
//	cursor_position             {x, y, room?}                              none
//
// A room may be given as a number: it is its decimal text. What the others in
// the room receive: user_joined and user_left {room, userId, user, userCount};
// message or chat_message, sender included, as it was sent but for the fields
// that are the server's (id, room, from, user, content, text, timestamp);
// typing as a name for a string, else {room, userId, user, isTyping};
// cursor_position {userId, user, room, x, y}. A client that connects gets
// connected {userId, user, limits}.
//
// A client that breaks a rule is told a [server.ClientError] with one of the
// codes in errors.go, and nothing has happened. Only typing and cursors beyond
// their budget, or without a room, are dropped in silence, and counted: see
// [Stats].
//
// # Users and sockets
//
// A user may have several sockets. Rooms count users: the first socket of a
// user joins and the last one leaves, and nobody is told of those between. What
// a room is told of comings and goings is in the order in which they happened,
// and so are the counts in it: see [lanes].
//
// # State
//
// Who is in which room, and which messages have been sent before, is behind
// [store], which is written for a cluster; a socket's own rooms are with the
// socket. There are no goroutines here.
package chat
