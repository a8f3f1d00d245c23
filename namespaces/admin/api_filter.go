package admin

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// A socketFilter says which sockets are asked for: those that have all of what is
// not empty.
type socketFilter struct {
	namespace, id, user, name, room, transport string

	network netip.Prefix
	fields  map[string]string // of the data, by path
}

// A found socket is one with what is looked for in its data.
type foundSocket struct {
	*socketInfo
	fields     any // of its data
	user, name string
}

// look reads what a socket is searched by. The data are those that are shown:
// what is masked is not found either.
func look(s *socketInfo) foundSocket {
	f := foundSocket{socketInfo: s}
	decoder := json.NewDecoder(bytes.NewReader(s.Data))
	decoder.UseNumber() // ids may have more digits than a float64
	if decoder.Decode(&f.fields) == nil {
		f.user, f.name = userOf(f.fields)
	}
	return f
}

func (f *socketFilter) matches(s *foundSocket) bool {
	equal := func(want, is string) bool { return want == "" || want == is }
	switch {
	case !equal(f.namespace, s.Namespace), !equal(f.id, s.ID), !equal(f.user, s.user), !equal(f.name, s.name), !equal(f.transport, s.Transport):
		return false
	case f.room != "" && !slices.Contains(s.Rooms, f.room):
		return false
	case f.network.IsValid() && !within(f.network, s.Handshake.Address):
		return false
	}
	for path, want := range f.fields {
		if !has(s.fields, strings.Split(path, "."), want) {
			return false
		}
	}
	return true
}

func within(network netip.Prefix, address string) bool {
	addr, err := netip.ParseAddr(strings.TrimSpace(address))
	return err == nil && network.Contains(addr.Unmap().WithZone(""))
}

// network reads an address or a network in CIDR form.
func network(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil
}

// has reports whether what is at a path of a value, or one of the elements of an
// array there, is a text, a number or a bool that is written so.
func has(value any, path []string, want string) bool {
	if list, ok := value.([]any); ok {
		return slices.ContainsFunc(list, func(v any) bool { return has(v, path, want) })
	}
	if len(path) == 0 {
		text, ok := plain(value)
		return ok && text == want
	}
	fields, _ := value.(map[string]any)
	// A name may have dots in it.
	for i := len(path); i > 0; i-- {
		if v, ok := fields[strings.Join(path[:i], ".")]; ok && has(v, path[i:], want) {
			return true
		}
	}
	return false
}

// plain is the text of what has no parts.
func plain(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}
