// Package msgjson turns JSON text into MessagePack and MessagePack into JSON
// text, with placeholders for bytes: the arguments of packets are JSON whatever
// wire they come from. No map of anything is built on the way.
//
// What it writes is what notepack.io, the library of Node's packages, writes.
// What it reads may be anything, and nothing is allocated for a length that is
// only said.
package msgjson
