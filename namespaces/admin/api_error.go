package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// An apiError is what a request is refused with.
type apiError struct {
	status        int
	code, message string
	field         string        // of the request, where it is about one
	allow         string        // methods
	challenge     string        // WWW-Authenticate
	retry         time.Duration // after which it may be tried again
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func (e *apiError) failure() adminapi.Failure {
	return adminapi.Failure{Error: adminapi.Error{Code: e.code, Message: e.message, Field: e.field}}
}

func (e *apiError) headers(h http.Header) {
	if e.allow != "" {
		h.Set("Allow", e.allow)
	}
	if e.challenge != "" {
		h.Set("WWW-Authenticate", e.challenge)
	}
	if e.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.retry+time.Second-1)/time.Second)))
	}
}

// challenge does not offer Basic, which is accepted: a browser would ask for a
// password, and show it from then on to whichever page makes requests here.
const challenge = `Bearer realm="admin"`

var (
	errNoSuchPath = &apiError{status: http.StatusNotFound, code: "not_found",
		message: "there is no such path; those of the API begin with v1/: stats, sockets, rooms, disconnect, join, leave, emit"}
	errForeignOrigin = &apiError{status: http.StatusForbidden, code: "foreign_origin",
		message: "pages of other origins may not use this API"}
	errNoCredentials = &apiError{status: http.StatusUnauthorized, code: "unauthenticated", challenge: challenge,
		message: "who are you? send Authorization: Basic with user name and password, or Bearer with a token or the id of a session"}
	errBadCredentials = &apiError{status: http.StatusUnauthorized, code: "unauthenticated", challenge: challenge,
		message: "invalid credentials"}
	errTooManyTries = &apiError{status: http.StatusTooManyRequests, code: "too_many_attempts", retry: failureEvery,
		message: "too many attempts to log in from this address; wait, and check the credentials"}
	errBusyAPI = &apiError{status: http.StatusServiceUnavailable, code: "busy", retry: time.Second,
		message: "too many requests are being answered; try again"}
	errUnavailable = &apiError{status: http.StatusServiceUnavailable, code: "unavailable", retry: 5 * time.Second,
		message: "this server is about to end; ask another, or later"}
	errProduction = &apiError{status: http.StatusForbidden, code: "forbidden",
		message: "in production mode statistics alone are shown; commands work"}
	errLate = &apiError{status: http.StatusGatewayTimeout, code: "timeout",
		message: "it has taken too long"}
	errInternal = &apiError{status: http.StatusInternalServerError, code: "internal",
		message: "something is wrong with this server; its log says what"}
)

// badRequest is about a field, a query's parameter or a JSON Pointer; empty for
// the request as a whole.
func badRequest(field, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "bad_request", field: field, message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) *apiError {
	return &apiError{status: http.StatusNotFound, code: "not_found", message: fmt.Sprintf(format, args...)}
}

func asAPIError(err error) *apiError {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return errLate
	}
	return errInternal
}
