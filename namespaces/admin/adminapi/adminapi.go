// Package adminapi has the bodies of the JSON API that package admin serves, for
// the server and for clients in Go. docs/admin-api.md says which request has
// which.
//
// Fields may be added; a client ignores those that it does not know. The server
// refuses those that it does not know, so that a misspelt target is not taken for
// none.
package adminapi

import (
	"encoding/json"
	"time"
)

// A Socket is one client in one namespace.
type Socket struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	// ClientID is the same for the sockets of one connection. It is empty for a
	// socket of another server that does not tell.
	ClientID string `json:"clientId,omitempty"`
	// User and Name are who it is, by the socket's data: see docs/admin-api.md.
	User string `json:"user,omitempty"`
	Name string `json:"name,omitempty"`
	// Transport is "polling", "websocket", or empty where another server does not
	// tell.
	Transport string    `json:"transport,omitempty"`
	Address   string    `json:"address"`
	Connected time.Time `json:"connected"` // UTC
	// Rooms are those that it is in, but for its own.
	Rooms []string `json:"rooms"`
	// Data is what the application has attached, with what is secret masked.
	Data json.RawMessage `json:"data"`
	// Handshake is there where one socket was asked for.
	Handshake *Handshake `json:"handshake,omitempty"`
}

// A Handshake is the request that opened a socket's connection, with what is
// secret masked.
type Handshake struct {
	URL     string            `json:"url"`
	Secure  bool              `json:"secure"`
	Headers map[string]string `json:"headers"`
	Query   map[string]string `json:"query"`
}

// Sockets are a page of the sockets that match, the newest first.
type Sockets struct {
	Sockets []Socket `json:"sockets"`
	// Total is how many match, on all pages.
	Total int `json:"total"`
	// Next is the cursor of the next page; empty on the last.
	Next string `json:"next,omitempty"`
	Reach
}

// A Room is one that has members.
type Room struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Sockets   int    `json:"sockets"` // of all servers
}

// Rooms are a page of the rooms that match, by namespace and name.
type Rooms struct {
	Rooms []Room `json:"rooms"`
	Total int    `json:"total"`
	Next  string `json:"next,omitempty"`
	Reach
}

// Reach says how much of the cluster an answer is about.
type Reach struct {
	// Missing is how many servers did not answer in time: what there is of them is
	// not in the answer.
	Missing int `json:"missing"`
}

// Stats are those of all servers, the one that was asked first.
type Stats struct {
	Servers []Server `json:"servers"`
	Reach
}

// A Server is one of the cluster. Counts are since it started.
type Server struct {
	ID       string  `json:"id"`
	Hostname string  `json:"hostname"`
	PID      int     `json:"pid"`
	Uptime   float64 `json:"uptime"` // seconds
	// Clients are connections; Polling are those of them that poll.
	Clients    int         `json:"clients"`
	Polling    int         `json:"polling"`
	Namespaces []Namespace `json:"namespaces"`

	Opened     int64 `json:"opened"` // connections
	Closed     int64 `json:"closed"`
	PacketsIn  int64 `json:"packetsIn"`
	BytesIn    int64 `json:"bytesIn"`
	PacketsOut int64 `json:"packetsOut"`
	BytesOut   int64 `json:"bytesOut"`
	// Goroutines and HeapBytes are of the process.
	Goroutines int    `json:"goroutines"`
	HeapBytes  uint64 `json:"heapBytes"`
}

// A Namespace is one of a server, with its sockets there.
type Namespace struct {
	Name    string `json:"name"`
	Sockets int    `json:"sockets"`
}

// A Target says whom a command is about: exactly one field is set.
type Target struct {
	// Socket is the id of one.
	Socket string `json:"socket,omitempty"`
	// User and Name are all sockets of whom Socket.User or Socket.Name says so.
	User string `json:"user,omitempty"`
	Name string `json:"name,omitempty"`
	// Room is the members of one.
	Room string `json:"room,omitempty"`
	// All is everyone in the namespace.
	All bool `json:"all,omitempty"`
}

// Disconnect is the body of a request to disconnect sockets.
type Disconnect struct {
	// Namespace may be left out for a socket, a user or a name: all then.
	Namespace string `json:"namespace,omitempty"`
	Target    Target `json:"target"`
	// Close closes the connections as well, with their sockets in other
	// namespaces.
	Close bool `json:"close,omitempty"`
}

// Move is the body of a request to have sockets join or leave a room.
type Move struct {
	Namespace string `json:"namespace"`
	Target    Target `json:"target"`
	Room      string `json:"room"`
}

// Emit is the body of a request to send an event.
type Emit struct {
	Namespace string            `json:"namespace"`
	Target    Target            `json:"target"`
	Event     string            `json:"event"`
	Args      []json.RawMessage `json:"args,omitempty"`
}

// Done is the answer to a command.
type Done struct {
	// Sockets is how many it was about, on the servers that have said.
	Sockets int `json:"sockets"`
	Reach
}

// Failure is the answer to a request that has failed.
type Failure struct {
	Error Error `json:"error"`
}

// An Error says why a request has failed.
type Error struct {
	// Code is one of those of docs/admin-api.md, for programs.
	Code string `json:"code"`
	// Message says what is wrong and what to do, for people.
	Message string `json:"message"`
	// Field is where: a parameter of the query, or a JSON Pointer into the body.
	Field string `json:"field,omitempty"`
}
