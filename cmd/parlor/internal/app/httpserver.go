package app

import (
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// Limits of the HTTP side. There is no timeout for a whole request or reply: a
// long poll is open for as long as there is nothing to say. The engine has its
// own deadlines for bodies and writes.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute // between two requests of a kept connection
	maxHeaderBytes    = 32 << 10        // twice what Node takes; a token of 8 KiB fits well
)

// newHTTPServer returns a server for the socket port. HTTP/2 is off: WebSocket
// clients need HTTP/1.1, and an upgrade would have to be refused on a
// connection that negotiated anything else.
func newHTTPServer(handler http.Handler, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:                      handler,
		Protocols:                    protocols,
		ReadHeaderTimeout:            readHeaderTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is a path like any other: unknown
		ErrorLog:                     log.New(httpErrors{logger}, "", 0),
	}
}

// httpErrors turns the lines of net/http into log records. What a client does
// wrong is worth a line for whoever looks for it, not a warning each time.
type httpErrors struct{ log *slog.Logger }

// Write implements [io.Writer]; package log calls it once a line.
func (w httpErrors) Write(line []byte) (int, error) {
	text := strings.TrimSpace(strings.TrimPrefix(string(line), "http: "))
	if strings.HasPrefix(text, "TLS handshake error") || strings.HasPrefix(text, "URL query contains") {
		w.log.Debug("http", "problem", text)
	} else {
		w.log.Error("http", "problem", text)
	}
	return len(line), nil
}
