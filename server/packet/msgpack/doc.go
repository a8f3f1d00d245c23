// Package msgpack is the parser of clients that have been given npm's
// socket.io-msgpack-parser: a packet is one binary message, a MessagePack map.
//
//	io := server.New(server.WithParser(msgpack.Parser{}))
//
//	import parser from "socket.io-msgpack-parser";
//	const socket = io(url, { parser });
//
// All clients of a server have its parser. One with another is let go at its
// first message, as any that is not understood.
//
// # Values
//
// Arguments are what they are in JSON, see package packet: handlers and emitters
// cannot tell one parser from another. Of what MessagePack has and JSON has not,
//
//   - bytes (bin, and the ext of an ArrayBuffer) are attachments, at any depth,
//     and are written as bin: a Buffer in Node, an ArrayBuffer in browsers;
//   - a Date is text, "2024-05-01T12:00:00.000Z", as JSON.stringify has it; it
//     is sent as text as well;
//   - undefined, NaN and infinities are null;
//   - integers of 64 bits and floats keep their value in both directions, though a
//     JavaScript peer holds integers up to 2^53 only;
//   - text that is not UTF-8 has U+FFFD where it is not;
//   - a repeated key of an object is kept, as in JSON.
//
// # What is refused
//
// What the reference parser refuses (an unknown type, a namespace that is no
// text, an id that is no integer, data of another shape than the type has, bytes
// after the map), what package packet refuses whatever the parser, and keys that
// are no text, extensions other than those above, members of a packet that are
// repeated, maps and arrays nested deeper than [packet.Limits] allows, a text
// message. No memory is taken for a length that is only said.
package msgpack
