package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	defaultJWKSInterval = time.Hour
	defaultJWKSTimeout  = 5 * time.Second

	jwksUnknown    = time.Minute     // at most one refresh for unknown key ids in this time
	jwksFirstRetry = 5 * time.Second // doubled with each failure, up to jwksUnknown
	jwksBytes      = 512 << 10       // of a key set
	jwksRedirects  = 3
)

// JWKSOptions are what [JWKS] can be told. The zero value is fit for use.
type JWKSOptions struct {
	// Interval is how often the set is fetched. Default one hour; a minute at least.
	Interval time.Duration
	// Timeout bounds one fetch. Default 5 s.
	Timeout time.Duration
	// StartOffline makes JWKS succeed when the set cannot be fetched at the start:
	// until it can be, no token is good. Default: that is an error.
	StartOffline bool
	// Transport makes the requests. Default: one of its own, which goes by the
	// proxy of the environment.
	Transport http.RoundTripper
	// Logger is told of sets that cannot be fetched. Default: nowhere.
	Logger *slog.Logger
}

// RemoteKeys are the keys at the address of a JSON Web Key Set. They are kept in
// memory and fetched anew at an interval; and when a token names a key that is
// not among them, at most once a minute for all such tokens. A set that comes
// replaces the one before. While none comes, or only one without a key that is
// of use, the last one stays.
//
// Keys are used for the one algorithm that they name, or that [PublicKey] would
// give them. Those that are not for signatures, are secret (kty oct), or come
// with their private half are passed over.
type RemoteKeys struct {
	// Static.
	url     string
	where   string // the address as logs may have it
	opts    JWKSOptions
	client  *http.Client
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	keys atomic.Pointer[[]Key]

	// Guarded by mu.
	mu     sync.Mutex
	flight *flight   // the fetch that is under way, or nil
	asked  time.Time // when the last refresh for an unknown key id began
	closed bool
}

// A flight is one fetch, for all who wait for it. err may be read when done is
// closed.
type flight struct {
	done chan struct{}
	err  error
}

var (
	errKeyUnknown = errors.New("the key id is in no key set, and the set was fetched less than a minute ago")
	errKeysClosed = errors.New("the key set is closed")
)

// JWKS fetches the key set at an address, https or plain http of this machine,
// and keeps it fresh until Close. ctx bounds the first fetch alone.
func JWKS(ctx context.Context, address string, opts JWKSOptions) (*RemoteKeys, error) {
	u, err := jwksURL(address)
	if err != nil {
		return nil, err
	}
	if opts.Interval == 0 {
		opts.Interval = defaultJWKSInterval
	}
	opts.Interval = max(opts.Interval, jwksUnknown)
	if opts.Timeout <= 0 {
		opts.Timeout = defaultJWKSTimeout
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Transport == nil {
		// Once an hour: no connection waits for the next time.
		opts.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10}
	}
	r := &RemoteKeys{
		url:    address,
		where:  u.Scheme + "://" + u.Host + u.EscapedPath(), // a query may have a key in it
		opts:   opts,
		client: &http.Client{Transport: opts.Transport, CheckRedirect: sameHost(u)},
	}
	r.keys.Store(&[]Key{})
	r.ctx, r.cancel = context.WithCancel(context.Background())

	if err := r.refresh(ctx, false); err != nil {
		if !opts.StartOffline {
			r.Close()
			return nil, fmt.Errorf("auth: key set: %w", err)
		}
		opts.Logger.Error("key set cannot be fetched; no token is good until it can be", "url", r.where, "error", err)
	}
	r.running.Go(func() { r.keep(len(*r.keys.Load()) > 0) })
	return r, nil
}

// jwksURL refuses what others could change on its way.
func jwksURL(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http"):
		return nil, errors.New("auth: the address of a key set is an https URL")
	case u.User != nil:
		return nil, errors.New("auth: the address of a key set has a user in it; it would end up in logs")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, errors.New("auth: the address of a key set has to be https: who can change it on its way can sign tokens")
	}
	return u, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// sameHost follows redirects to where the set was asked for, and nowhere else.
func sameHost(u *url.URL) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if r.URL.Scheme != u.Scheme || r.URL.Host != u.Host {
			return errors.New("a redirect to another host")
		}
		if len(via) > jwksRedirects {
			return errors.New("too many redirects")
		}
		return nil
	}
}

// Find implements [Keys]. For a key id that is not known it may wait for a fetch.
func (r *RemoteKeys) Find(ctx context.Context, alg, kid string) ([]Key, error) {
	if found := r.find(alg, kid); len(found) > 0 {
		return found, nil
	}
	if alg == "HS256" || (kid == "" && len(*r.keys.Load()) > 0) { // no set would change that
		return nil, nil
	}
	if err := r.refresh(ctx, true); err != nil {
		return nil, err
	}
	return r.find(alg, kid), nil
}

// find looks at the keys that there are. A token without a key id is good only
// where its algorithm leaves no choice.
func (r *RemoteKeys) find(alg, kid string) []Key {
	var found []Key
	for _, k := range *r.keys.Load() {
		if k.method.Alg() == alg && (kid == "" || k.id == kid) {
			found = append(found, k)
		}
	}
	if kid == "" && len(found) > 1 {
		return nil
	}
	return found
}

// refresh fetches the set, or waits for the fetch that is under way. One for an
// unknown key id is refused when there has been another in the last minute.
func (r *RemoteKeys) refresh(ctx context.Context, unknown bool) error {
	r.mu.Lock()
	f := r.flight
	if f == nil {
		now := time.Now()
		switch {
		case r.closed:
			r.mu.Unlock()
			return errKeysClosed
		case unknown && !r.asked.IsZero() && now.Sub(r.asked) < jwksUnknown:
			r.mu.Unlock()
			return errKeyUnknown
		case unknown:
			r.asked = now
		}
		f = &flight{done: make(chan struct{})}
		r.flight = f
		// On its own: who waits may go, and others wait too.
		r.running.Go(func() { r.fly(f) })
	}
	r.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *RemoteKeys) fly(f *flight) {
	keys, err := r.fetch()
	if err == nil {
		r.keys.Store(&keys)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f.err = err
	r.flight = nil
	close(f.done)
}

// fetch asks for the set.
func (r *RemoteKeys) fetch() ([]Key, error) {
	ctx, cancel := context.WithTimeout(r.ctx, r.opts.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	res, err := r.client.Do(req)
	if err != nil {
		// Without the address: its query may have a key in it.
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", res.Status)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, jwksBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) > jwksBytes:
		return nil, fmt.Errorf("more than %d bytes", jwksBytes)
	}
	return readKeySet(body)
}

// keep fetches the set at its interval, and sooner after a failure.
func (r *RemoteKeys) keep(ok bool) {
	retry := jwksFirstRetry
	for {
		wait := r.opts.Interval
		if ok {
			retry = jwksFirstRetry
		} else {
			wait = retry
			retry = min(2*retry, jwksUnknown)
		}
		select {
		case <-r.ctx.Done():
			return
		case <-time.After(wait):
		}
		err := r.refresh(r.ctx, false)
		ok = err == nil
		if !ok && r.ctx.Err() == nil {
			r.opts.Logger.Error("key set cannot be fetched; the keys of the last one are used", "url", r.where,
				"keys", len(*r.keys.Load()), "error", err)
		}
	}
}

// Close ends the fetching, and waits until it has ended. The keys that there are
// stay good.
func (r *RemoteKeys) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.running.Wait()
}

// Algorithms are those of the keys that there are now, for a log.
func (r *RemoteKeys) Algorithms() []string {
	var list []string
	for _, k := range *r.keys.Load() {
		list = append(list, k.Algorithm())
	}
	slices.Sort(list)
	return slices.Compact(list)
}
