// Command interop is a server on github.com/zishang520/socket.io/v2, with its
// Redis adapter, that a test drives: a member of a cluster beside Parlor.
//
// The test of adapter/redisadapter builds and starts it. It is a module of its own,
// so that Parlor's needs nothing of what it needs.
//
// Once it listens it writes {"id":-1,"value":URL} to the standard output. Each line
// on the standard input is then a command, see [command], and each further line on
// the output its answer, {"id":…,"value":…} or {"id":…,"error":…}. Bytes are
// {"bytes":"hex"} in both. It ends with its input.
package main
