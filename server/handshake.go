package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
)

// A Handshake is what a socket was opened with.
type Handshake struct {
	// Auth is the payload of the client's CONNECT, an object; without members
	// when there was none.
	Auth Arg
	// Issued is when the socket was made.
	Issued time.Time

	origin *origin
}

// An origin is what the sockets of one connection have in common of their
// handshakes. It keeps the request's text in one piece and takes it apart only
// when asked: a browser's headers as an http.Header cost several times as much,
// for as long as the connection lives.
type origin struct {
	addr    netip.Addr
	secure  bool
	urlLen  int
	request string // the URL, then name NUL value NUL for each header
}

func newOrigin(r *http.Request, addr netip.Addr) *origin {
	uri := r.URL.RequestURI()
	n := len(uri) + len("Host") + len(r.Host) + 2
	for name, values := range r.Header {
		for _, v := range values {
			n += len(name) + len(v) + 2
		}
	}
	var b strings.Builder
	b.Grow(n)
	add := func(name, value string) {
		b.WriteString(name)
		b.WriteByte(0)
		b.WriteString(value)
		b.WriteByte(0)
	}
	b.WriteString(uri)
	add("Host", r.Host)
	for name, values := range r.Header {
		for _, v := range values { // net/http lets no NUL through
			add(name, v)
		}
	}
	return &origin{addr: addr, secure: r.TLS != nil, urlLen: len(uri), request: b.String()}
}

// Header returns the headers of the request that opened the connection, Host
// among them. It is the caller's.
func (h Handshake) Header() http.Header {
	header := make(http.Header)
	rest := h.origin.request[h.origin.urlLen:]
	for rest != "" {
		var name, value string
		name, rest, _ = strings.Cut(rest, "\x00")
		value, rest, _ = strings.Cut(rest, "\x00")
		header[name] = append(header[name], value)
	}
	return header
}

// Get returns the first value of a header, empty when there is none. It does not take
// the others apart, as [Handshake.Header] does.
func (h Handshake) Get(name string) string {
	name = http.CanonicalHeaderKey(name)
	rest := h.origin.request[h.origin.urlLen:]
	for rest != "" {
		var key, value string
		key, rest, _ = strings.Cut(rest, "\x00")
		value, rest, _ = strings.Cut(rest, "\x00")
		if key == name {
			return value
		}
	}
	return ""
}

// URL returns the path and query of the request that opened the connection.
func (h Handshake) URL() string { return h.origin.request[:h.origin.urlLen] }

// Query returns the query of the request that opened the connection.
func (h Handshake) Query() url.Values {
	_, query, _ := strings.Cut(h.URL(), "?")
	values, err := url.ParseQuery(query)
	if err != nil { // the engine has refused what cannot be parsed
		return url.Values{}
	}
	return values
}

// Addr returns the client's address, as far as trusted proxies tell it.
func (h Handshake) Addr() netip.Addr { return h.origin.addr }

// Address returns the client's address as text, without a port.
func (h Handshake) Address() string {
	if !h.origin.addr.IsValid() {
		return ""
	}
	return h.origin.addr.String()
}

// Secure reports whether the connection to this server was encrypted.
func (h Handshake) Secure() bool { return h.origin.secure }

// XDomain reports whether the request named an origin.
func (h Handshake) XDomain() bool { return h.Get("Origin") != "" }

// Time returns Issued as JavaScript writes a date.
func (h Handshake) Time() string {
	return h.Issued.Format("Mon Jan 02 2006 15:04:05 GMT-0700 (MST)")
}

// describe puts the handshake into the form that Node's has: names of headers
// in lower case, one value each.
func (h Handshake) describe() adapter.Handshake {
	headers := make(map[string]string)
	for name, values := range h.Header() {
		headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	query := make(map[string]string)
	for name, values := range h.Query() {
		query[name] = values[len(values)-1]
	}
	return adapter.Handshake{
		Headers: headers,
		Time:    h.Time(),
		Address: h.Address(),
		XDomain: h.XDomain(),
		Secure:  h.Secure(),
		Issued:  h.Issued.UnixMilli(),
		URL:     h.URL(),
		Query:   query,
		Auth:    h.Auth,
	}
}
