package engine

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Codes of connection errors, engine.io's lib/server.ts. They travel as
// {"code": n, "message": text}.
const (
	CodeUnknownTransport   = 0
	CodeUnknownSession     = 1
	CodeBadHandshakeMethod = 2
	CodeBadRequest         = 3
	CodeForbidden          = 4
	CodeUnsupportedVersion = 5
)

// A refusal is the answer to a request that is not served. It is the same on
// both transports: JSON with a status, before any upgrade of the connection.
type refusal struct {
	status  int
	code    int
	message string
	// header is one header beside the usual ones.
	header, value string
}

var (
	refuseTransport = &refusal{status: http.StatusBadRequest, code: CodeUnknownTransport, message: "Transport unknown"}
	refuseSession   = &refusal{status: http.StatusBadRequest, code: CodeUnknownSession, message: "Session ID unknown"}
	refuseMethod    = &refusal{status: http.StatusBadRequest, code: CodeBadHandshakeMethod, message: "Bad handshake method"}
	refuseRequest   = &refusal{status: http.StatusBadRequest, code: CodeBadRequest, message: "Bad request"}
	refuseVersion   = &refusal{status: http.StatusBadRequest, code: CodeUnsupportedVersion, message: "Unsupported protocol version"}
	refuseOrigin    = &refusal{status: http.StatusForbidden, code: CodeForbidden, message: "Origin not allowed"}
	refuseVerb      = &refusal{status: http.StatusMethodNotAllowed, code: CodeBadRequest, message: "Method not allowed", header: "Allow", value: "GET, POST, OPTIONS"}
	refuseWebSocket = &refusal{status: http.StatusUpgradeRequired, code: CodeBadRequest, message: "Unsupported WebSocket version", header: "Sec-Websocket-Version", value: "13"}
	refuseSize      = &refusal{status: http.StatusRequestEntityTooLarge, code: CodeBadRequest, message: "Payload too large", header: "Connection", value: "close"}
	refuseURL       = &refusal{status: http.StatusRequestURITooLong, code: CodeBadRequest, message: "URL too long", header: "Connection", value: "close"}
	refuseHeader    = &refusal{status: http.StatusRequestHeaderFieldsTooLarge, code: CodeBadRequest, message: "Too many headers", header: "Connection", value: "close"}
	refuseEncoding  = &refusal{status: http.StatusUnsupportedMediaType, code: CodeBadRequest, message: "Content-Encoding is not supported", header: "Connection", value: "close"}
	refuseSlowBody  = &refusal{status: http.StatusRequestTimeout, code: CodeBadRequest, message: "Request body too slow", header: "Connection", value: "close"}
	refuseAddress   = &refusal{status: http.StatusTooManyRequests, code: CodeBadRequest, message: "Too many connections", header: "Retry-After", value: "10"}
	refuseRate      = &refusal{status: http.StatusTooManyRequests, code: CodeBadRequest, message: "Too many handshakes", header: "Retry-After", value: "1"}
	refuseGuess     = &refusal{status: http.StatusTooManyRequests, code: CodeUnknownSession, message: "Too many unknown session IDs", header: "Retry-After", value: "10"}
	refuseFull      = &refusal{status: http.StatusServiceUnavailable, code: CodeBadRequest, message: "Server is full", header: "Retry-After", value: "10"}
	refuseClosing   = &refusal{status: http.StatusServiceUnavailable, code: CodeBadRequest, message: "Server is shutting down", header: "Retry-After", value: "1"}
)

// forbidden is the refusal of a hook.
func forbidden(err error) *refusal {
	return &refusal{status: http.StatusForbidden, code: CodeForbidden, message: err.Error()}
}

func (f *refusal) write(w http.ResponseWriter) {
	body, err := json.Marshal(struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{f.code, f.message})
	must(err)
	h := w.Header()
	if f.header != "" {
		h.Set(f.header, f.value)
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(f.status)
	// The client may be gone; there is nobody else to tell.
	_, _ = w.Write(body)
}
