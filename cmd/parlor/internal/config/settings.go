package config

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// A Setting is one field of a [Config] as a text, with what is known about it.
type Setting struct {
	Name    string // of the flag and the key, "chat-rate"
	Env     string // of the variable
	Group   string // what it belongs to, "Chat"
	Help    string
	Default string   // empty for none
	Example string   // what to write where there is no default
	Value   string   // the effective one, nothing secret in it; empty for none
	Values  []string // the same of one that can be repeated
	Source  string   // "default", "--chat-rate", "PARLOR_CHAT_RATE", "parlor.yaml:3"
	Many    bool     // it can be repeated
	Reload  string   // what SIGHUP does; empty when it needs a restart

	whole string // the value with what is secret in it
}

// byDefault is the source of a setting that was not given.
const byDefault = "default"

// Settings returns all of them, in the order in which they are documented.
func (c *Config) Settings() []Setting { return slices.Clone(c.settings) }

// A Change is a setting that differs between two configurations.
type Change struct {
	Setting        // as it is now
	Before  string // the value it had, nothing secret in it
}

// Changes returns what is different in a configuration that is newer.
func (c *Config) Changes(newer *Config) (list []Change) {
	for i, s := range newer.settings {
		if before := c.settings[i]; before.whole != s.whole {
			list = append(list, Change{s, before.Value})
		}
	}
	return list
}

func (c *Config) configured() *Config { return c }

// settings reads them off the parsed command line.
func settings(ctx *kong.Context, file *layer) []Setting {
	var list []Setting
	for _, flag := range ctx.Selected().Flags {
		if !settable(flag) {
			continue
		}
		s := describe(flag)
		s.Values = texts(flag.Target, flag.Tag.Get("secret"))
		s.whole = strings.Join(texts(flag.Target, ""), ",")
		s.Value = strings.Join(s.Values, ",")
		s.Source = source(ctx, flag, file)
		list = append(list, s)
	}
	return list
}

func describe(flag *kong.Flag) Setting {
	s := Setting{
		Name: flag.Name, Env: flag.Envs[0], Help: flag.Help, Default: flag.Default, Example: flag.PlaceHolder,
		Many: flag.IsSlice(), Reload: flag.Tag.Get("reload"),
	}
	if flag.Group != nil {
		s.Group = flag.Group.Title
	}
	if flag.IsBool() {
		s.Example = "true"
	}
	return s
}

// source says where a value is from.
func source(ctx *kong.Context, flag *kong.Flag, file *layer) string {
	for _, path := range ctx.Path {
		if path.Flag == flag && !path.Resolved {
			return "--" + flag.Name
		}
	}
	if env := variable(flag); env != "" {
		return env
	}
	if e := file.entries[flag.Name]; e.used {
		return fmt.Sprintf("%s:%d", file.name, e.line)
	}
	return byDefault
}

// texts returns the value of a field, as one would write it.
func texts(value reflect.Value, secret string) []string {
	switch value.Kind() {
	case reflect.Slice:
		var list []string
		for i := range value.Len() {
			list = append(list, fmt.Sprint(value.Index(i).Interface()))
		}
		return list
	case reflect.Pointer:
		if value.IsNil() {
			return nil
		}
		return texts(value.Elem(), secret)
	}
	text := fmt.Sprint(value.Interface())
	switch secret {
	case "url":
		text = withoutPassword(text)
	case "redis":
		text = withoutRedisPassword(text)
	}
	if text == "" {
		return nil
	}
	return []string{text}
}

// hidden is shown in the place of what may be secret. [url.URL.Redacted] has it too.
const hidden = "xxxxx"

// withoutPassword is a valid address without what may be secret in it: a password, a
// user that has none, and the query, which with key sets can have a token.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return hidden
	}
	if _, set := u.User.Password(); u.User != nil && !set {
		u.User = url.User(hidden)
	}
	if u.RawQuery != "" {
		u.RawQuery = hidden
	}
	return u.Redacted()
}

// withoutRedisPassword is the valid address of a Redis without passwords. It is valid
// still: its options stay, but for the one that is a password.
func withoutRedisPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return hidden
	}
	options := u.Query()
	for name, values := range options {
		for i, value := range values {
			if name == "password" || strings.Contains(value, "@") {
				values[i] = hidden
			}
		}
	}
	u.RawQuery = options.Encode()
	return u.Redacted()
}

// guarded is an address that cannot be used, for the error that says so: nothing of one
// with an @, for any part before it may be of a password, and nothing of a query.
func guarded(address string) string {
	if strings.Contains(address, "@") {
		return hidden
	}
	if where, _, ok := strings.Cut(address, "?"); ok {
		return where + "…"
	}
	return address
}
