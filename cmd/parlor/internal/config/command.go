package config

import "strings"

// Command is what the command line asks for: a [*Config] (to serve), a [*Mint],
// a [*Check], [Secret], [AdminHash], [Sample], [*Verify], [*Show], [*Bench] or [Version].
type Command interface {
	// validate is told the names of the flags that were given.
	validate(given map[string]bool) error
}

// Version is `parlor version`.
type Version struct{}

// Sample is `parlor config sample`: it prints a file with all settings.
type Sample struct{}

// Verify is `parlor config check`: it says what is wrong with a configuration.
type Verify struct {
	Config `embed:""`
}

// Show is `parlor config show`: it prints the effective configuration.
type Show struct {
	Config `embed:""`
}

// configuration is the shape of `parlor config`.
type configuration struct {
	Sample struct{} `cmd:"" help:"Print a file with every setting, its default and what it does: parlor config sample > parlor.yaml."`
	Check  Verify   `cmd:"" help:"Say whether serve would start with these flags, variables and file, and warn of what is not safe."`
	Show   Show     `cmd:"" help:"Print what serve would run with, and where each value is from; passwords are left out."`
}

// command returns the part of the line that a command's path, as kong writes it,
// stands for.
func (l *commandLine) command(path string) Command {
	switch path {
	case "version":
		return Version{}
	case "token mint":
		return &l.Token.Mint
	case "token check", "token check <token>":
		return &l.Token.Check
	case "token secret":
		return Secret{}
	case "admin hash":
		return AdminHash{}
	case "admin sockets", "admin sockets <filter>":
		return &l.Admin.Sockets
	case "admin rooms":
		return &l.Admin.Rooms
	case "admin kick <target>":
		return &l.Admin.Kick
	case "admin broadcast <event>", "admin broadcast <event> <json>":
		return &l.Admin.Broadcast
	case "admin stats":
		return &l.Admin.Stats
	case "config sample":
		return Sample{}
	case "config check":
		return &l.Configure.Check
	case "config show":
		return &l.Configure.Show
	default:
		if strings.HasPrefix(path, "bench ") {
			return &l.Bench
		}
		return &l.Serve
	}
}

func (Version) validate(map[string]bool) error { return nil }
func (Sample) validate(map[string]bool) error  { return nil }
