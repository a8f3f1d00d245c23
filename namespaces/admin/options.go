package admin

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/seed3686fee0/parlor/server/packet"
)

// Options are what [Mount] can be told. Auth is required; the zero value of all
// else is the default.
type Options struct {
	// Namespace is the name that the page's "Admin namespace" has. Default
	// "/admin"; "/" is refused, since everybody is in it.
	Namespace string
	// Auth says who is an admin.
	Auth Auth
	// ReadOnly lets no admin do anything but look.
	ReadOnly bool
	// Authorize refuses an admin a command, with the error that the log and the
	// command's acknowledgement are told. It is called before anything has
	// happened, after ReadOnly and [Principal.ReadOnly] have been looked at. Nil:
	// who may command at all may give every command.
	Authorize func(p Principal, c Command) error
	// Mode is how much admins are shown. Default Development.
	Mode Mode
	// Watch is for whom this instance tells what happens on it. Default Cluster.
	Watch Watch
	// ServerID tells this process from others, which is what the page lists them
	// by: two with the same are one to it. Default: the host's name and the
	// process's number.
	ServerID string

	// Sessions keep who has logged in, so that a reload of the page does not ask
	// again. Default: in memory, for this process.
	Sessions SessionStore
	// SessionTTL is how long a session outlives its last use. Default 24 h.
	SessionTTL time.Duration

	// MaxSockets is how many sockets an admin is shown, the newest first; counts
	// are of all. The page is slow with more. Default 2000.
	MaxSockets int
	// EventRate is how many events of clients admins are shown a second, of all
	// instances together: each has its share of it. The page draws its whole list
	// anew for each, so that there are half as many when it has a hundred, and a
	// tenth when it is full. Default 5; negative: none.
	EventRate float64
	// EventBurst is how many events may come at once, of all instances. Default 20.
	EventBurst int
	// EventFilter says which events of clients are shown, by namespace and name.
	// It is called on the path of every event while somebody watches, and must be
	// safe for concurrent use. Nil: all.
	EventFilter func(namespace, event string) bool
	// ChangeRate is how many times a second admins are told that a socket or a room
	// has changed, of all instances together, and as with EventRate fewer as the
	// page's list of events gets longer. What is left out a list of all sockets makes
	// good, two seconds later or, if that is more, ten milliseconds for each socket
	// in it. Default 10; negative: as often as it happens.
	ChangeRate float64
	// ChangeBurst is how many changes may be told at once, of all instances. Default 100.
	ChangeBurst int

	// HeaderFilter says whether the value of a header or of a query parameter may
	// be shown. Nil: [Harmless].
	HeaderFilter func(name string) bool
	// DataFilter returns what is shown of the data of a socket. Nil: data in which
	// what is not [Harmless] by its name is masked.
	DataFilter func(namespace string, data packet.Arg) any

	// Logger gets logins, refusals and commands. Default: nowhere.
	Logger *slog.Logger
}

// A Mode is how much admins are shown.
type Mode int

const (
	// Development shows everything: sockets, rooms, clients, events.
	Development Mode = iota
	// Production shows statistics alone. Commands work as ever.
	Production
)

// String returns the mode's name as Node's server has it.
func (m Mode) String() string {
	if m == Production {
		return "production"
	}
	return "development"
}

// A Watch says for whom an instance in development mode tells what happens on
// it. Statistics are for everyone at all times.
type Watch int

const (
	// Cluster: for admins of any Parlor instance; their instances say that they
	// watch.
	Cluster Watch = iota
	// Local: for this instance's own admins.
	Local
	// Always: whether anybody watches or not. It is for clusters with Node
	// instances that admins log in to: those do not say so.
	Always
)

const (
	defaultNamespace  = "/admin"
	defaultSessionTTL = 24 * time.Hour
	defaultMaxSockets = 2000
	defaultEventRate  = 5
	defaultEventBurst = 20

	defaultChangeRate  = 10
	defaultChangeBurst = 100
	defaultSessions    = 10_000
)

func (o Options) withDefaults() (Options, error) {
	if o.Namespace == "" {
		o.Namespace = defaultNamespace
	}
	switch {
	case o.Namespace == "/":
		return o, errors.New(`admin: the namespace "/" is everybody's: choose another, such as "/admin"`)
	case !packet.ValidNamespace(o.Namespace):
		return o, fmt.Errorf("admin: %q cannot be the name of a namespace: it begins with a slash and has no comma, '?', '#' or \"..\"", o.Namespace)
	case o.Auth.err != nil:
		return o, fmt.Errorf("admin: %w", o.Auth.err)
	case o.Auth.check == nil && !o.Auth.insecure:
		return o, errors.New("admin: no Auth: choose one, Basic say, or Insecure for none")
	case o.Mode != Development && o.Mode != Production:
		return o, fmt.Errorf("admin: there is no Mode(%d)", int(o.Mode))
	case o.Watch < Cluster || o.Watch > Always:
		return o, fmt.Errorf("admin: there is no Watch(%d)", int(o.Watch))
	}
	if o.ServerID == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "unknown"
		}
		o.ServerID = fmt.Sprintf("%s#%d", host, os.Getpid())
	}
	if o.SessionTTL <= 0 {
		o.SessionTTL = defaultSessionTTL
	}
	if o.Sessions == nil {
		o.Sessions = NewMemorySessions(defaultSessions)
	}
	if o.MaxSockets <= 0 {
		o.MaxSockets = defaultMaxSockets
	}
	if o.EventRate == 0 {
		o.EventRate = defaultEventRate
	}
	if o.EventBurst <= 0 {
		o.EventBurst = defaultEventBurst
	}
	if o.ChangeRate == 0 {
		o.ChangeRate = defaultChangeRate
	}
	if o.ChangeBurst <= 0 {
		o.ChangeBurst = defaultChangeBurst
	}
	if o.HeaderFilter == nil {
		o.HeaderFilter = Harmless
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
