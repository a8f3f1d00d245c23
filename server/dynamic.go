package server

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/seed3686fee0/parlor/server/packet"
)

// A pattern makes namespaces on demand.
type pattern struct {
	match  func(ctx context.Context, name string, auth Arg) bool
	parent *Namespace
	static bool // match needs no client: Of may use it
}

// Of returns the namespace with a name, made when there is none. A name that
// matches a pattern of OfPattern gets its handlers. It panics when a client
// could not name it: see [packet.ValidNamespace].
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") {
		name = "/" + name
	}
	if !packet.ValidNamespace(name) {
		panic(fmt.Sprintf("server: Of: %q is no name for a namespace", name)) //nolint:forbidigo // a program's own constant
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if ns := s.namespaces[name]; ns != nil {
		ns.pinned = true
		return ns
	}
	for _, p := range s.patterns {
		if p.static && p.match(context.Background(), name, Arg{}) {
			ns := s.make(p, name)
			ns.pinned = true
			return ns
		}
	}
	ns := newNamespace(s, name)
	s.namespaces[name] = ns
	return ns
}

// OfPattern returns the parent of the namespaces whose names match an
// expression: they are made when a client asks for them, with the parent's
// handlers, and go with their last socket. Patterns are tried in the order in
// which they were made.
func (s *Server) OfPattern(re *regexp.Regexp) *Namespace {
	return s.addPattern(&pattern{
		match:  func(_ context.Context, name string, _ Arg) bool { return re.MatchString(name) },
		static: true,
		parent: newParent(s, re.String()),
	})
}

// OfFunc is OfPattern with a function, which gets the client's auth payload as
// well. It has one second; later, and when it panics, its answer is no, and the
// next pattern is tried.
func (s *Server) OfFunc(match func(ctx context.Context, name string, auth Arg) bool) *Namespace {
	return s.addPattern(&pattern{match: match, parent: newParent(s, "func")})
}

func newParent(s *Server, name string) *Namespace {
	ns := &Namespace{server: s, name: name, children: make(map[string]*Namespace)}
	ns.handlers.Store(&handlers{})
	return ns
}

func (s *Server) addPattern(p *pattern) *Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.patterns = append(slices.Clip(s.patterns), p)
	return p.parent
}

// find returns the namespace that a client names, with a place for its socket,
// or whether a pattern might make it.
func (s *Server) find(name string) (ns *Namespace, dynamic bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ns := s.namespaces[name]; ns != nil {
		ns.users++
		return ns, false
	}
	return nil, len(s.patterns) > 0
}

// match makes the namespace that a client names, if a pattern allows it, with
// a place for its socket.
func (s *Server) match(name string, auth Arg) *Namespace {
	s.mu.Lock()
	patterns := s.patterns
	s.mu.Unlock()
	i := slices.IndexFunc(patterns, func(p *pattern) bool { return s.matches(p, name, auth) })
	if i < 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.namespaces[name]
	if ns == nil {
		if over(s.dynamic+1, s.limits.Load().DynamicNamespaces) {
			return nil
		}
		ns = s.make(patterns[i], name)
	}
	ns.users++
	return ns
}

// matches asks one pattern; what a function of the application does is its own
// affair, and no other pattern's.
func (s *Server) matches(p *pattern, name string, auth Arg) bool {
	if p.static {
		return p.match(context.Background(), name, auth)
	}
	matched := make(chan bool, 1)
	s.withTimeout(matchTimeout, func(ctx context.Context) {
		s.guard(name, "match of a dynamic namespace", func() { matched <- p.match(ctx, name, auth) })
	})
	select {
	case yes := <-matched:
		return yes
	default:
		return false
	}
}

// make makes a dynamic namespace. The caller holds mu.
func (s *Server) make(p *pattern, name string) *Namespace {
	ns := newNamespace(s, name)
	ns.parent = p.parent
	ns.handlers.Store(p.parent.handlers.Load())
	p.parent.children[name] = ns
	s.namespaces[name] = ns
	s.dynamic++
	return ns
}

// release gives a socket's place back. A dynamic namespace goes with the last,
// unless the application has asked for it by name.
func (ns *Namespace) release() {
	s := ns.server
	s.mu.Lock()
	ns.users--
	empty := ns.parent != nil && ns.users == 0 && !ns.pinned && s.namespaces[ns.name] == ns
	if empty {
		delete(s.namespaces, ns.name)
		delete(ns.parent.children, ns.name)
		s.dynamic--
	}
	s.mu.Unlock()
	if empty {
		if err := ns.adapter.Close(); err != nil {
			s.config.logger.Error("adapter of a dynamic namespace cannot be closed", "namespace", ns.name, "error", err)
		}
	}
}

// made returns the namespaces that a pattern has made.
func (ns *Namespace) made() []*Namespace {
	ns.server.mu.Lock()
	defer ns.server.mu.Unlock()
	return slices.Collect(maps.Values(ns.children))
}
