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
	return "default"
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
	if secret == "url" {
		text = withoutPassword(text)
	}
	if text == "" {
		return nil
	}
	return []string{text}
}

// withoutPassword is an address without what may be secret in it: passwords, and
// the query, which with Redis can have one, and with key sets a token.
func withoutPassword(address string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return "(hidden)"
	}
	if u.RawQuery != "" {
		u.RawQuery = "hidden"
	}
	return u.Redacted()
}
