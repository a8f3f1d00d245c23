package config

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// AdminServer says which server the commands of `parlor admin` ask, who asks, and
// how the answer looks. The variables are these commands' own, but for that of the
// user, who is the one that serve is told of.
type AdminServer struct {
	Address      string        `default:"http://localhost:3000" env:"PARLOR_ADMIN_URL" help:"Address of a server that has --admin-ui or --admin-api." name:"url" placeholder:"URL"`
	User         string        `env:"PARLOR_ADMIN_USER" help:"Name to log in with. The password is asked for, or is the first line of the standard input." placeholder:"NAME"`
	PasswordFile string        `env:"PARLOR_ADMIN_PASSWORD_FILE" help:"File with the password." placeholder:"FILE"`
	TokenFile    string        `env:"PARLOR_ADMIN_TOKEN_FILE" help:"File with a token that has the role admin, or with the id of a session; instead of a user." placeholder:"FILE"`
	CAFile       string        `env:"PARLOR_ADMIN_CA_FILE" help:"File with the certificates, PEM, of who has signed the server's; instead of those that the system trusts." name:"ca-file" placeholder:"FILE"`
	Timeout      time.Duration `default:"15s" env:"PARLOR_ADMIN_TIMEOUT" help:"How long an answer is waited for."`
	JSON         bool          `env:"-" help:"Print JSON, that of the API." name:"json"`

	// URL is Address, of [Parse].
	URL *url.URL `kong:"-"`
}

// A Listing is how much of a list is shown.
type Listing struct {
	Limit int  `default:"100" env:"-" help:"Rows to show."`
	All   bool `env:"-" help:"Show all rows."`
}

// AdminSockets is `parlor admin sockets`.
type AdminSockets struct {
	AdminServer `embed:""`
	Listing     `embed:""`
	Namespace   string   `env:"-" help:"Namespace of the sockets; all without one." placeholder:"NAME"`
	Filters     []string `arg:"" help:"What the sockets have: user=ID, name=NAME, room=ROOM, socket=ID, transport=polling, address=10.0.0.0/8, data.FIELD=VALUE." name:"filter" optional:"" sep:"none"`

	// Query is what the filters ask for, of [Parse].
	Query url.Values `kong:"-"`
}

// Help is what `parlor admin sockets --help` says beside the flags.
func (*AdminSockets) Help() string {
	return strings.TrimSpace(`
Lists the sockets of all servers, the newest first, that have all of what is asked for.

  parlor admin sockets --user=ops user=ada
  parlor admin sockets --user=ops --namespace=/chat room=lobby data.plan=free
`)
}

// AdminRooms is `parlor admin rooms`.
type AdminRooms struct {
	AdminServer `embed:""`
	Listing     `embed:""`
	Namespace   string `env:"-" help:"Namespace of the rooms; all without one." placeholder:"NAME"`
	Prefix      string `env:"-" help:"What their names begin with." placeholder:"TEXT"`
}

// AdminKick is `parlor admin kick`.
type AdminKick struct {
	AdminServer `embed:""`
	Namespace   string `env:"-" help:"Namespace to disconnect them from; needed for a room, and for all." placeholder:"NAME"`
	Close       bool   `env:"-" help:"Close their connections as well, with their sockets in other namespaces."`
	Target      string `arg:"" help:"Who: user=ID, name=NAME, room=ROOM, socket=ID, or all."`

	// Kind and Value are the parts of Target, of [Parse].
	Kind, Value string `kong:"-"`
}

// Help is what `parlor admin kick --help` says beside the flags.
func (*AdminKick) Help() string {
	return strings.TrimSpace(`
Disconnects sockets on all servers, and prints how many there were. Their clients do not reconnect by themselves, but may.

  parlor admin kick --user=ops --close user=ada
  parlor admin kick --user=ops --namespace=/chat room=lobby
`)
}

// AdminBroadcast is `parlor admin broadcast`.
type AdminBroadcast struct {
	AdminServer `embed:""`
	Namespace   string   `env:"-" help:"Namespace to send it in." placeholder:"NAME" required:""`
	Room        string   `env:"-" help:"Room to send it to; everyone in the namespace without one." placeholder:"NAME"`
	Event       string   `arg:"" help:"Name of the event."`
	Args        []string `arg:"" help:"Its arguments, each JSON." name:"json" optional:"" sep:"none"`
}

// Help is what `parlor admin broadcast --help` says beside the flags.
func (*AdminBroadcast) Help() string {
	return strings.TrimSpace(`
Sends an event to sockets of all servers, and prints how many there were.

  parlor admin broadcast --user=ops --namespace=/chat announcement '{"text":"Back in five minutes"}'
  parlor admin broadcast --user=ops --namespace=/chat --room=lobby notice '"a text"' 42
`)
}

// AdminStats is `parlor admin stats`.
type AdminStats struct {
	AdminServer `embed:""`
}

// adminError is the error of a flag whose variable is not named as those of serve.
func adminError(name, env, problem string) *Error {
	return &Error{Flag: "--" + name, Env: env, Problem: problem}
}

func (a *AdminServer) validate(given map[string]bool) error { return asError(a.checkServer(given)) }

func (a *AdminServer) checkServer(given map[string]bool) *Error {
	for _, setting := range []struct{ name, env, value string }{
		{"user", "PARLOR_ADMIN_USER", a.User},
		{"password-file", "PARLOR_ADMIN_PASSWORD_FILE", a.PasswordFile},
		{"token-file", "PARLOR_ADMIN_TOKEN_FILE", a.TokenFile},
		{"ca-file", "PARLOR_ADMIN_CA_FILE", a.CAFile},
	} {
		if given[setting.name] && setting.value == "" {
			return adminError(setting.name, setting.env, "is given, but empty; give a value, or leave it out")
		}
	}
	u, err := url.Parse(a.Address)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https":
		return adminError("url", "PARLOR_ADMIN_URL", "is not the address of a server; write it like https://chat.example.com, or http://localhost:3000")
	case u.User != nil:
		return adminError("url", "PARLOR_ADMIN_URL", "has a user or a password in it, which everybody can see; give --user, and the password in a file (--password-file) or on the standard input")
	case a.PasswordFile != "" && a.User == "" && a.TokenFile == "":
		return adminError("user", "PARLOR_ADMIN_USER", "is missing while --password-file is given; give both, or neither")
	case a.Timeout <= 0:
		return adminError("timeout", "PARLOR_ADMIN_TIMEOUT", "is to be more than nothing; write it like 15s")
	}
	a.URL = u
	return nil
}

func (l Listing) checkListing() *Error {
	if l.Limit < 1 {
		return &Error{Flag: "--limit", Problem: "is to be at least 1; --all shows all rows"}
	}
	return nil
}

// Terms of which sockets are meant, beside data.FIELD.
var (
	targetTerms = []string{"user", "name", "room", "socket"}
	filterTerms = append(slices.Clip(targetTerms), "transport", "address")
)

// term takes a NAME=VALUE apart; data says that the name may be data.FIELD.
func term(text string, known []string, data bool) (name, value string, err *Error) {
	name, value, found := strings.Cut(text, "=")
	field, isData := strings.CutPrefix(name, "data.")
	more := ""
	if isData = isData && field != "" && data; data {
		more = ", data.FIELD"
	}
	switch {
	case !found:
		return "", "", &Error{Problem: "\"" + text + "\" is not NAME=VALUE; write it like user=ada"}
	case !slices.Contains(known, name) && !isData:
		return "", "", &Error{Problem: "\"" + name + "\" is nothing that sockets are found by here; use " + strings.Join(known, ", ") + more}
	case value == "":
		return "", "", &Error{Problem: "\"" + text + "\" has no value; write it like user=ada"}
	}
	return name, value, nil
}

func (a *AdminSockets) validate(given map[string]bool) error {
	if err := a.checkServer(given); err != nil {
		return err
	}
	if err := a.checkListing(); err != nil {
		return err
	}
	a.Query = url.Values{}
	if a.Namespace != "" {
		a.Query.Set("namespace", a.Namespace)
	}
	for _, text := range a.Filters {
		name, value, err := term(text, filterTerms, true)
		switch {
		case err != nil:
			return err
		case a.Query.Has(name):
			return &Error{Problem: name + " is there twice; give it once"}
		}
		a.Query.Set(name, value)
	}
	return nil
}

func (a *AdminRooms) validate(given map[string]bool) error {
	if err := a.checkServer(given); err != nil {
		return err
	}
	return asError(a.checkListing())
}

func (a *AdminKick) validate(given map[string]bool) error {
	if err := a.checkServer(given); err != nil {
		return err
	}
	if a.Kind = a.Target; a.Kind != "all" {
		var err *Error
		if a.Kind, a.Value, err = term(a.Target, targetTerms, false); err != nil {
			return err
		}
	}
	if a.Namespace == "" && (a.Kind == "all" || a.Kind == "room") {
		return &Error{Flag: "--namespace", Problem: "is missing; say where, as in --namespace=/chat"}
	}
	return nil
}
