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

// A cause is why a request is refused.
type cause uint8

const (
	causeTransport cause = iota
	causeSession
	causeMethod
	causeRequest
	causeVersion
	causeOrigin
	causeVerb
	causeWebSocket
	causeSize
	causeURL
	causeHeader
	causeEncoding
	causeSlowBody
	causeAddress
	causeRate
	causeGuess
	causeFull
	causeClosing
	causeHook
)

// causes are the names of causes, as [Stats] has them.
var causes = [...]string{
	causeTransport: "transport",
	causeSession:   "session",
	causeMethod:    "handshake_method",
	causeRequest:   "request",
	causeVersion:   "protocol_version",
	causeOrigin:    "origin",
	causeVerb:      "method",
	causeWebSocket: "websocket_version",
	causeSize:      "payload_size",
	causeURL:       "url",
	causeHeader:    "headers",
	causeEncoding:  "content_encoding",
	causeSlowBody:  "slow_body",
	causeAddress:   "address_connections",
	causeRate:      "handshake_rate",
	causeGuess:     "unknown_session_rate",
	causeFull:      "full",
	causeClosing:   "closing",
	causeHook:      "hook",
}

// A refusal is the answer to a request that is not served. It is the same on
// both transports: JSON with a status, before any upgrade of the connection.
type refusal struct {
	cause   cause
	status  int
	code    int
	message string
	// header is one header beside the usual ones.
	header, value string
}

var (
	refuseTransport = &refusal{cause: causeTransport, status: http.StatusBadRequest, code: CodeUnknownTransport, message: "Transport unknown"}
	refuseSession   = &refusal{cause: causeSession, status: http.StatusBadRequest, code: CodeUnknownSession, message: "Session ID unknown"}
	refuseMethod    = &refusal{cause: causeMethod, status: http.StatusBadRequest, code: CodeBadHandshakeMethod, message: "Bad handshake method"}
	refuseRequest   = &refusal{cause: causeRequest, status: http.StatusBadRequest, code: CodeBadRequest, message: "Bad request"}
	refuseVersion   = &refusal{cause: causeVersion, status: http.StatusBadRequest, code: CodeUnsupportedVersion, message: "Unsupported protocol version"}
	refuseOrigin    = &refusal{cause: causeOrigin, status: http.StatusForbidden, code: CodeForbidden, message: "Origin not allowed"}
	refuseVerb      = &refusal{cause: causeVerb, status: http.StatusMethodNotAllowed, code: CodeBadRequest, message: "Method not allowed", header: "Allow", value: "GET, POST, OPTIONS"}
	refuseWebSocket = &refusal{cause: causeWebSocket, status: http.StatusUpgradeRequired, code: CodeBadRequest, message: "Unsupported WebSocket version", header: "Sec-Websocket-Version", value: "13"}
	refuseSize      = &refusal{cause: causeSize, status: http.StatusRequestEntityTooLarge, code: CodeBadRequest, message: "Payload too large", header: "Connection", value: "close"}
	refuseURL       = &refusal{cause: causeURL, status: http.StatusRequestURITooLong, code: CodeBadRequest, message: "URL too long", header: "Connection", value: "close"}
	refuseHeader    = &refusal{cause: causeHeader, status: http.StatusRequestHeaderFieldsTooLarge, code: CodeBadRequest, message: "Too many headers", header: "Connection", value: "close"}
	refuseEncoding  = &refusal{cause: causeEncoding, status: http.StatusUnsupportedMediaType, code: CodeBadRequest, message: "Content-Encoding is not supported", header: "Connection", value: "close"}
	refuseSlowBody  = &refusal{cause: causeSlowBody, status: http.StatusRequestTimeout, code: CodeBadRequest, message: "Request body too slow", header: "Connection", value: "close"}
	refuseAddress   = &refusal{cause: causeAddress, status: http.StatusTooManyRequests, code: CodeBadRequest, message: "Too many connections", header: "Retry-After", value: "10"}
	refuseRate      = &refusal{cause: causeRate, status: http.StatusTooManyRequests, code: CodeBadRequest, message: "Too many handshakes", header: "Retry-After", value: "1"}
	refuseGuess     = &refusal{cause: causeGuess, status: http.StatusTooManyRequests, code: CodeUnknownSession, message: "Too many unknown session IDs", header: "Retry-After", value: "10"}
	refuseFull      = &refusal{cause: causeFull, status: http.StatusServiceUnavailable, code: CodeBadRequest, message: "Server is full", header: "Retry-After", value: "10"}
	refuseClosing   = &refusal{cause: causeClosing, status: http.StatusServiceUnavailable, code: CodeBadRequest, message: "Server is shutting down", header: "Retry-After", value: "1"}
)

// forbidden is the refusal of a hook.
func forbidden(err error) *refusal {
	return &refusal{cause: causeHook, status: http.StatusForbidden, code: CodeForbidden, message: err.Error()}
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
