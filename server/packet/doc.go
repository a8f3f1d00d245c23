// Package packet is the codec of the Socket.IO protocol, revision 5: it turns
// the text and binary messages of a connection into packets and back.
//
// A packet is one text message, such as
//
//	2/chat,7["say",{"text":"hi"}]
//
// followed by as many binary messages as its header announces:
//
//	52-["upload",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]
//
// The messages are those of Engine.IO, so the "4" of its message packets is not
// seen here.
//
// # Arguments stay text
//
// Arguments are checked when they arrive and decoded when somebody asks: an
// [Arg] is a piece of the packet's JSON text, so a relay copies bytes and never
// builds a value, and what a peer wrote is passed on as it wrote it (numbers
// that no float64 holds, repeated keys, lone surrogates). What an Arg holds is
// nobody else's business, so that callers do not see by which encoding it came.
//
// # Other encodings
//
// A [Parser] writes packets in another form: package msgpack is one. It takes
// what a packet carries from [Packet.Payload], and makes packets of what it has
// read with [Decoder.Packet], which checks all that is checked here.
//
// # What is refused
//
// The [Decoder] reads what an attacker sends. Its scanner makes one pass, does
// not recurse, and allocates little beside one copy of the text; every count and
// length has a bound, see [Limits]. It follows the reference
// implementation (socket.io-parser) but for a few cases in which that one is
// lenient and a client never is:
//
//   - an event without any payload ("2") is refused, as is one with an empty array;
//   - the number of attachments and the acknowledgement id are ASCII digits,
//     nothing else that JavaScript turns into a number;
//   - in a binary packet an object with the member "_placeholder": true has to be
//     a placeholder as encoders write it: that member, and a "num" within range;
//   - a namespace is at most 256 bytes, without '?', '#', ".." or control characters;
//   - what comes before the payload has no spaces in it.
package packet
