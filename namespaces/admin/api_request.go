package admin

import (
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// How many sockets or rooms an answer has.
const (
	apiDefaultLimit = 100
	apiMaxLimit     = 1000
)

// checkType wants JSON, which no form of a page can send.
func checkType(r *http.Request) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return &apiError{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
			message: "a command is JSON; send it with Content-Type: application/json"}
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &apiError{status: http.StatusUnsupportedMediaType, code: "unsupported_media_type",
			message: "a command is not to be compressed; leave Content-Encoding out"}
	}
	return nil
}

// readBody reads the body of a command. What is not known, or there twice, is an
// error: it may be what was to say who is meant.
func readBody(r *http.Request, v any) error {
	err := json.UnmarshalRead(r.Body, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &apiError{status: http.StatusRequestEntityTooLarge, code: "too_large",
			message: "a command has at most " + strconv.FormatInt(tooLarge.Limit, 10) + " bytes"}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &apiError{status: http.StatusRequestTimeout, code: "timeout", message: "the body did not come in time"}
	}
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		field := string(wrong.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return badRequest(field, "there is no such member; is it misspelt?")
		case wrong.GoType != nil:
			return badRequest(field, "this is to be %s", kindOf(wrong))
		}
		return badRequest(field, "this cannot be read")
	}
	if wrong, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return badRequest(string(wrong.JSONPointer), "this is there twice")
		}
		return badRequest(string(wrong.JSONPointer), "the body is not JSON, from byte %d on", wrong.ByteOffset)
	}
	return badRequest("", "the body could not be read to its end")
}

// kindOf says what a member is to be.
func kindOf(wrong *json.SemanticError) string {
	switch wrong.GoType.Kind().String() {
	case "string":
		return "a text"
	case "bool":
		return "true or false"
	case "slice":
		return "an array"
	}
	return "an object"
}

// A query takes the parameters of a request one by one; what is left over is not
// known. Its first error stays.
type query struct {
	values url.Values
	err    error
}

func readQuery(r *http.Request) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &query{err: badRequest("", "the query is not written as one is: %v", err)}
	}
	return &query{values: values}
}

// text takes a parameter; empty when there is none.
func (q *query) text(name string) string {
	list, given := q.values[name]
	delete(q.values, name)
	switch {
	case !given:
		return ""
	case len(list) > 1:
		q.fail(badRequest(name, "this is there %d times; give it once", len(list)))
		return ""
	case list[0] == "":
		q.fail(badRequest(name, "this is empty; give a value, or leave it out"))
	}
	return list[0]
}

// number takes a parameter from 1 to a limit.
func (q *query) number(name string, without, most int) int {
	text := q.text(name)
	if text == "" {
		return without
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		q.fail(badRequest(name, "%q is not a number from 1 to %d", text, most))
	}
	return n
}

// fields takes the parameters that begin with a prefix, without it.
func (q *query) fields(prefix string) map[string]string {
	var found map[string]string
	for name := range q.values {
		if field, ok := strings.CutPrefix(name, prefix); ok {
			if found == nil {
				found = make(map[string]string)
			}
			if strings.Count(field, ".") > maxDepth {
				q.fail(badRequest(name, "data is shown to a depth of %d; name a field that is less deep", maxDepth))
			}
			if field == "" {
				q.fail(badRequest(name, "name a field, as in %splan=free", prefix))
			}
			found[field] = q.text(name)
		}
	}
	return found
}

// cursor takes the parameter of that name: the key of the last row of the page
// before, as next has written it.
func (q *query) cursor(key any) (given bool) {
	text := q.text("cursor")
	if text == "" {
		return false
	}
	written, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(written, key, json.RejectUnknownMembers(true))
	}
	if err != nil {
		q.fail(badRequest("cursor", "this is none; use what was next in the answer before"))
	}
	return err == nil
}

// next writes a cursor.
func next(key any) (string, error) {
	written, err := json.Marshal(key)
	return base64.RawURLEncoding.EncodeToString(written), err
}

func (q *query) fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

// end returns what is wrong with the query, a parameter that nobody has taken
// included.
func (q *query) end() error {
	if q.err == nil && len(q.values) > 0 {
		names := make([]string, 0, len(q.values))
		for name := range q.values {
			names = append(names, name)
		}
		return badRequest(slices.Min(names), "there is no such parameter; is it misspelt?")
	}
	return q.err
}
