// Package chat is a ready-made chat for a namespace of a Socket.IO server:
// rooms that one joins and leaves, messages and what was said before, direct
// messages, files, signs of typing, cursors, and who is there and how present. A
// frontend that speaks the usual spellings of these events connects unchanged.
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
//	direct_message              {to, content | text, clientMsgId?}         {id, timestamp, delivered?}
//	file_upload                 binary, or {room | roomId, name?, type?,   {id, size}
//	                            clientMsgId?}, binary
//	history                     {room | roomId, before? | after?, limit?}  {room, messages, more}
//	who                         "room" or {room | roomId}                  {room, userCount, users}
//	presence                    {status: online, away or offline}          nothing else
//	typing                      "room" or {room | roomId, isTyping}        none
//	cursor_position             {x, y, room?}                              none
//
// A room may be given as a number: it is its decimal text. What the others in
// the room receive: user_joined and user_left {room, userId, user, userCount};
// message or chat_message, sender included, as it was sent but for the fields
// that are the server's (id, room, from, user, content, text, timestamp);
// file {id, room, from, user, name, type, size, timestamp} and the bytes;
// presence {userId, user, status, timestamp}; typing as a name for a string, else
// {room, userId, user, isTyping}; cursor_position {userId, user, room, x, y}.
// direct_message {id, from, user, to, content, timestamp, clientMsgId?} goes to
// every socket of the two users. A client that connects gets connected {userId,
// user, limits}.
//
// A client that breaks a rule is told a [server.ClientError] with one of the
// codes in errors.go, and nothing has happened. Only typing, cursors and presence
// beyond their budget, and typing and cursors without a room, are dropped in
// silence, and counted: see [Stats].
//
// # Users and sockets
//
// A user may have several sockets. Rooms count users: the first socket of a
// user joins and the last one leaves, and nobody is told of those between. What
// a room is told of comings and goings is in the order in which they happened,
// and so are the counts in it. A user is as present as the most present of its
// sockets, which are online until they say something else; the rooms are told
// when one says something, and when one comes or goes and that makes a
// difference. Who comes is taken for online; where that is not so, presence
// follows user_joined.
//
// A user's sockets share a room of the server that is not one of the chat's, for
// direct messages. Its name begins with a NUL, and names that do are refused to
// clients (forbidden). It is counted nowhere but in the limit of rooms that the
// server has of its own: see [server.Limits]. So is the name of a socket of this
// instance refused, which is that of a room too; of those of other instances
// nobody here knows, and a rule about what looks like one would refuse rooms that
// are called by 20 letters for other reasons. The chat sends nothing to such a
// room; an application with several instances that does should not let clients
// choose the names of rooms.
//
// # History
//
// Of each room the last messages are kept, as they were sent: see
// [Options.History]. One with attachments is relayed but not kept, since a text
// cannot carry them; nor are files. What an answer has of the history is bounded:
// join's 50 messages and 64 KiB, history's at most 100 messages and 512 KiB, but
// one message at least. The limit of history is an integer from 1 on; more than
// 100 are 100. before and after are ids, not necessarily of messages that are
// still kept: ids sort by time.
//
// On an instance, what a room is sent, what is kept of it and the ids have one
// order. Whoever joins has each message once, in the answer or live after it, and
// whoever asks for what is after the last message that it has seen misses none of
// those that are kept. Messages of other instances may arrive a little before
// ones with smaller ids, and both in the answer to a join and live: who must miss
// none asks for what is after an older one, and drops what it has.
//
// # Sending again
//
// A message, direct message or file with a clientMsgId that its user has given to
// one in the last ten minutes is not sent again, and answered as the first was.
// What was refused has not been sent.
//
// # State
//
// Who is in which room and how present, which messages have been sent before, and
// what is kept of them, is in a [Store], which several instances can share; a
// socket's own rooms are with the socket. The chat has a store of its own, a
// [Memory], unless it is given one. Each room has a lane, in which those who
// change it or post to it take turns: what a turn asks of a store that is another
// machine is a round trip in which the room's other turns wait, on this instance.
// With history that is one for each message, which bounds a room to as many
// messages a second from one instance as there are round trips; without history,
// messages take no turns, and the store is asked only for those that have a
// clientMsgId.
//
// There are no goroutines here, but for who calls [Chat.Watch] in one, and the one
// that ends with it.
package chat
