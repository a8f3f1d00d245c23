package chat

import (
	"context"
	"log/slog"
	"math"

	"github.com/seed3686fee0/parlor/server"
)

// Options are what [Mount] can be told. The zero value is the chat with its
// default limits, for anonymous users. In a limit, zero means the default and a
// negative value no limit.
type Options struct {
	// Identity says who the user of a socket is, when it connects; ctx has what
	// connect middleware has put into it. With false, or without an ID, the user
	// is anonymous: its ID is the socket's, its name what the client says, cut to 64
	// characters. Nil: everyone is anonymous. A socket is disconnected, and the fault logged, when
	// the ID is not UTF-8, has more than 128 characters, or is the id of another
	// socket of the namespace on this instance.
	Identity func(ctx context.Context, s *server.Socket) (User, bool)

	// MessageRate is how many messages a socket may send a second. Default 10.
	MessageRate float64
	// MessageBurst is how many messages may come at once. Default twice the
	// rate, 20; there is no burst without limit: a negative value is the default.
	MessageBurst int
	// SignalRate is how many events that only signal something, typing,
	// cursor_position, or presence, a socket may send a second, and at once. What exceeds it
	// is dropped. Default 60.
	SignalRate float64
	// MessageBytes is the length of a message's content, in bytes of UTF-8.
	// Default 8192.
	MessageBytes int
	// FileBytes is the size of a file, which clients are told when they connect.
	// The server's limit of a payload is to be larger: see [server.WithMaxPayload].
	// Default 524288.
	FileBytes int
	// RoomName is the length of a room's name in characters. Default 128. The
	// server has a limit of its own, in bytes: see [server.Limits]; a character
	// has up to four.
	RoomName int
	// Rooms is how many rooms a socket may be in. Default 100. The server has a
	// limit of its own, see [server.Limits]: make it one more, for the room by
	// which a user is reached.
	Rooms int
	// Users is how many users of a room are listed. Default 200.
	Users int
	// Remembered is how many messages with a clientMsgId are remembered at most,
	// of those of the last ten minutes, so that a repeat is found. When there are
	// more, the oldest are forgotten. Default 500,000, which is about 50 MB;
	// negative: none, a clientMsgId is then nothing but a field.
	Remembered int

	// History is how many messages of a room are kept for those who come later.
	// Default 100; negative: none. They outlive the room's members, not the
	// process.
	History int
	// HistoryBytes is how many bytes of a room's messages are kept. Default 1 MiB.
	HistoryBytes int
	// HistoryTotal is how many bytes of all rooms' messages are kept, what they
	// cost beside their texts counted too. When there are more, the rooms written
	// to longest ago are forgotten. Default 64 MiB.
	HistoryTotal int

	// Store keeps what the sockets have in common, where there are several
	// instances: each of them has a Store of the same state. It is for one
	// namespace; another that a chat is mounted on needs another. What is kept and
	// remembered is then the store's affair, and of the options above Remembered,
	// HistoryBytes and HistoryTotal are not looked at, nor is History, unless it
	// is negative. Nil: a [Memory], the chat's own.
	Store Store

	// Logger gets what is not a client's fault. Default: nowhere.
	Logger *slog.Logger
}

const (
	defaultMessageRate  = 10
	defaultSignalRate   = 60
	defaultMessageBytes = 8 << 10
	defaultFileBytes    = 512 << 10
	defaultRoomName     = 128
	defaultRooms        = 100
	defaultUsers        = 200
	defaultRemembered   = 500_000
	defaultHistory      = 100
	defaultHistoryBytes = 1 << 20
	defaultHistoryTotal = 64 << 20

	maxUserName    = 64  // characters, of what a client says
	maxClientMsgID = 64  // characters
	maxTo          = 128 // characters
	maxFileName    = 255 // characters
	maxType        = 127 // bytes
	burstFactor    = 2.0 // of the default burst to the rate
)

func (o Options) withDefaults() Options {
	limit(&o.MessageRate, defaultMessageRate)
	limit(&o.SignalRate, defaultSignalRate)
	limit(&o.MessageBytes, defaultMessageBytes)
	limit(&o.FileBytes, defaultFileBytes)
	limit(&o.RoomName, defaultRoomName)
	limit(&o.Rooms, defaultRooms)
	limit(&o.Users, defaultUsers)
	limit(&o.HistoryBytes, defaultHistoryBytes)
	if limit(&o.HistoryTotal, defaultHistoryTotal); o.HistoryTotal == noLimit {
		o.HistoryTotal = math.MaxInt // larger than anything else that is counted
	}
	if o.History == 0 {
		o.History = defaultHistory
	}
	if o.Remembered == 0 {
		o.Remembered = defaultRemembered
	}
	if o.MessageBurst <= 0 {
		o.MessageBurst = burst(burstFactor * o.MessageRate)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// limit puts the default for zero, and for a negative value one that is never
// reached.
func limit[T int | float64](field *T, value T) {
	switch {
	case *field == 0:
		*field = value
	case *field < 0:
		*field = noLimit
	}
}

const noLimit = math.MaxInt32

// told is a limit as clients are told it, with 0 for none.
func told[T int | float64](v T) T {
	if v >= noLimit {
		return 0
	}
	return v
}

// burst is a burst of at least one, in whole events.
func burst(n float64) int { return int(max(1, min(math.Ceil(n), noLimit))) }
