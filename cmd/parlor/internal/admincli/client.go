// Package admincli is what `parlor admin` does: it asks a server's admin API, and
// prints the answer for a person or a program.
package admincli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/printable"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// maxAnswer is the length of an answer, in bytes: a page of a thousand sockets
// with much data.
const maxAnswer = 64 << 20

// Options say which server is asked, and how.
type Options struct {
	// URL is the server's address, without the path of the API.
	URL *url.URL
	// User and Password log in, or Token does. With none of them nobody does.
	User, Password string
	Token          string
	// Roots are who signs the server's certificate; nil: whom the system trusts.
	Roots *x509.CertPool
	// Timeout bounds each request.
	Timeout time.Duration
}

// A Client asks one server. It is not safe for concurrent use.
type Client struct {
	opts Options
	http *http.Client
}

// NewClient makes a client. It does not connect. Close ends it.
func NewClient(opts Options) *Client {
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{RootCAs: opts.Roots, MinVersion: tls.VersionTLS12},
	}
	return &Client{opts: opts, http: &http.Client{
		Transport: transport,
		Timeout:   opts.Timeout,
		// Credentials are for the server that was named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes the connection.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Exposed reports whether credentials would go over a network as they are.
func (c *Client) Exposed() bool {
	if c.opts.URL.Scheme != "http" || !c.hasCredentials() {
		return false
	}
	host := c.opts.URL.Hostname()
	if ip := net.ParseIP(host); ip != nil {
		return !ip.IsLoopback()
	}
	return !strings.EqualFold(host, "localhost")
}

func (c *Client) hasCredentials() bool { return c.opts.User != "" || c.opts.Token != "" }

// get asks for what is at a path below v1.
func (c *Client) get(ctx context.Context, path string, query url.Values, v any) error {
	return c.do(ctx, http.MethodGet, path, query, nil, v)
}

// post gives a command.
func (c *Client) post(ctx context.Context, path string, body, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return fmt.Errorf("cannot write the command: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, nil, &text, v)
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body io.Reader, v any) error {
	u := c.opts.URL.JoinPath("admin/api/v1", path)
	u.RawQuery = query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), body)
	if err != nil {
		return fmt.Errorf("cannot ask %s: %w", c.opts.URL, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.opts.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.opts.Token)
	case c.opts.User != "":
		r.SetBasicAuth(c.opts.User, c.opts.Password)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = response.Body.Close() }() // it has been read
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return c.unreachable(err)
	case len(text) > maxAnswer:
		return fmt.Errorf("the answer of %s is longer than %d bytes; ask for less, with --limit say", c.opts.URL, maxAnswer)
	case response.StatusCode != http.StatusOK:
		return c.refused(response, text)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s has not answered as a Parlor server does: %w", u.Redacted(), err)
	}
	return nil
}

// unreachable says why there is no answer, and what may help.
func (c *Client) unreachable(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the whole URL again
	}
	hint := "--url (PARLOR_ADMIN_URL) says where the server is"
	switch timeout, isTimeout := errors.AsType[net.Error](err); {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case isTimeout && timeout.Timeout():
		return fmt.Errorf("%s has not answered within %v; --timeout (PARLOR_ADMIN_TIMEOUT) is for how long it is waited for", c.opts.URL, c.opts.Timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		err = errors.New("nothing listens there")
	default:
		if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
			hint = "--ca-file (PARLOR_ADMIN_CA_FILE) names the certificate of who has signed the server's"
		}
	}
	return fmt.Errorf("cannot reach %s: %w; %s", c.opts.URL, err, hint)
}

// refused says what the server has said.
func (c *Client) refused(response *http.Response, text []byte) error {
	var failure adminapi.Failure
	said := ""
	if json.Unmarshal(text, &failure) == nil && failure.Error.Message != "" {
		said = printable.Text(failure.Error.Message)
		if failure.Error.Field != "" {
			said = printable.Text(failure.Error.Field) + ": " + said
		}
	}
	switch {
	case response.StatusCode/100 == 3:
		return fmt.Errorf("%s sends us to %s; give that as --url (PARLOR_ADMIN_URL) if it is the server",
			c.opts.URL, printable.Text(response.Header.Get("Location")))
	case said == "":
		return fmt.Errorf("%s has no admin API (%s); start the server with --admin-ui or --admin-api, or give another --url (PARLOR_ADMIN_URL)", c.opts.URL, printable.Text(response.Status))
	case response.StatusCode == http.StatusUnauthorized && !c.hasCredentials():
		return fmt.Errorf("%s wants to know who you are; give --user (PARLOR_ADMIN_USER), or --token-file (PARLOR_ADMIN_TOKEN_FILE)", c.opts.URL)
	case response.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("%s refuses the credentials; is it the right user and password, or a token that is still good and has the role admin?", c.opts.URL)
	case response.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%s: %s (try again after %s s)", c.opts.URL, said, printable.Text(response.Header.Get("Retry-After")))
	}
	return errors.New(said)
}
