package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
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
	// Recheck is asked whenever somebody comes with a session that AuthFunc or JWT
	// has let him have, or a Node server ([NodeCredential]): its error ends that, and
	// its text is for the log alone. It looks whether p is still an admin, with the
	// same rights and the same [Principal.Credential]. Nil: such a session is good for
	// its time. Sessions of Basic end when the hash is another one. It may be called
	// concurrently, and is to return when ctx is done, which is within two seconds.
	Recheck func(ctx context.Context, p Principal) error

	// MaxSockets is how many sockets an admin is shown, the newest first; counts
	// are of all. Default 1000, unless Load allows for less.
	MaxSockets int
	// Load is how much of its time the page of an admin may take, by an estimate, for
	// what all instances together tell it, and a second of that at once: events of
	// clients, changes of sockets and rooms, lists. It draws all events that it shows
	// anew for each, so that there are fewer the more it has. Events beyond that are
	// counted; changes beyond are made good by a list of all sockets, which comes
	// every two seconds at most, or rarely enough to take a fifth of this. One is of
	// as many sockets as there is time for. Default 0.25; negative: all is told.
	Load float64
	// EventFilter says which events of clients are shown, by namespace and name.
	// It is called on the path of every event while somebody watches, and must be
	// safe for concurrent use. Nil: all.
	EventFilter func(namespace, event string) bool
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
	defaultMaxSockets = 1000
	defaultLoad       = 0.25
	defaultSessions   = 10_000
)

func (o Options) withDefaults() (Options, error) {
	if o.Namespace == "" {
		o.Namespace = defaultNamespace
	}
	if err := o.check(); err != nil {
		return o, err
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
	if o.Load == 0 {
		o.Load = defaultLoad
	}
	if o.HeaderFilter == nil {
		o.HeaderFilter = Harmless
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

// check says what is wrong with the options.
func (o Options) check() error {
	switch {
	case o.Namespace == "/":
		return errors.New(`admin: the namespace "/" is everybody's: choose another, such as "/admin"`)
	case !packet.ValidNamespace(o.Namespace):
		return fmt.Errorf("admin: %q cannot be the name of a namespace: it begins with a slash and has no comma, '?', '#' or \"..\"", o.Namespace)
	case o.Auth.err != nil:
		return fmt.Errorf("admin: %w", o.Auth.err)
	case o.Auth.check == nil && !o.Auth.insecure:
		return errors.New("admin: no Auth: choose one, Basic say, or Insecure for none")
	case o.Mode != Development && o.Mode != Production:
		return fmt.Errorf("admin: there is no Mode(%d)", int(o.Mode))
	case o.Load > 1 || math.IsNaN(o.Load):
		return fmt.Errorf("admin: a Load of %v is no share: it is 1 at most, or negative for all", o.Load)
	case o.Watch < Cluster || o.Watch > Always:
		return fmt.Errorf("admin: there is no Watch(%d)", int(o.Watch))
	}
	return nil
}

// perSecond is the time of a page that there is in a second; 0: any.
func (a *Admin) perSecond() time.Duration {
	return time.Duration(max(0, a.opts.Load) * float64(time.Second))
}
