package certificate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

const (
	// look is the time between two looks whether a certificate has been renewed.
	look = time.Minute
	// maxPause is the longest time until an authority is asked again for what it
	// has refused. They count what fails.
	maxPause = time.Hour
	// giveUp is how long a request that is cut may take to end.
	giveUp = 2 * time.Second
)

// ACMEOptions say what certificates are for, and whom they are from.
type ACMEOptions struct {
	Domains   []string // lower case, at least one
	Cache     string   // the directory that keeps them
	Email     string   // of the account; may be empty
	Directory string   // URL; Let's Encrypt's when empty

	Client *http.Client // to reach the authority with; http.DefaultClient when nil
}

// ACME is certificates that an authority issues, and that are renewed in time. It
// answers the authority's questions on the port that it serves (TLS-ALPN-01), so
// that [ACME.Run] has to be called when that port is served. Handshakes never wait
// for the authority: before a certificate is there they fail. All methods may be
// called concurrently.
type ACME struct {
	domains []string
	cache   *cache
	manager *autocert.Manager
	client  *http.Client

	mu     sync.Mutex
	issued map[string]*tls.Certificate // by domain; guarded by mu
}

// NewACME checks that the directory can be used. Nobody is asked for anything yet.
func NewACME(o ACMEOptions) (*ACME, error) {
	probe, err := os.CreateTemp(o.Cache, ".probe-*")
	if err != nil {
		return nil, err
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, err
	}
	a := &ACME{domains: o.Domains, cache: &cache{DirCache: autocert.DirCache(o.Cache)}, client: o.Client, issued: make(map[string]*tls.Certificate)}
	if a.client == nil {
		a.client = http.DefaultClient
	}
	a.manager = &autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		Cache:      a.cache,
		HostPolicy: autocert.HostWhitelist(o.Domains...),
		Email:      o.Email,
		Client:     &acme.Client{DirectoryURL: o.Directory, UserAgent: "parlor"},
	}
	if o.Directory == "" {
		a.manager.Client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	return a, nil
}

// Config returns what a listener needs.
func (a *ACME) Config() *tls.Config { return config(a.get, acme.ALPNProto) }

func (a *ACME) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}) {
		return a.manager.GetCertificate(hello)
	}
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" {
		name = a.domains[0]
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if certificate := a.issued[name]; certificate != nil {
		return certificate, nil
	}
	return nil, fmt.Errorf("there is no certificate for %q", name)
}

// Expires is when the first of the certificates does; zero while there is none.
func (a *ACME) Expires() (first time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, certificate := range a.issued {
		if at := certificate.Leaf.NotAfter; first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// Run gets the certificates and takes over those that are renewed, until ctx is
// done.
func (a *ACME) Run(ctx context.Context, log *slog.Logger) {
	client := *a.client
	client.Transport = cut{ctx, client.Transport}
	a.manager.Client.HTTPClient = &client
	var each sync.WaitGroup
	for _, domain := range a.domains {
		each.Go(func() { a.keep(ctx, log, domain) })
	}
	each.Wait()
}

// keep has the certificate of one domain issued and renewed.
func (a *ACME) keep(ctx context.Context, log *slog.Logger, domain string) {
	pause, reminder := look, reminder{log: log}
	for {
		next := look
		certificate, err := a.obtain(ctx, domain)
		if unkept := a.cache.failure(); unkept != nil {
			log.Error("what the authority has issued cannot be kept: it is used until the server ends, and the next one asks for another, which authorities limit; let the server write to its directory", "error", unkept)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("the authority has issued no certificate", "domain", domain, "error", err, "again_in", pause)
			next, pause = pause, min(2*pause, maxPause)
		default:
			pause = look
			if a.take(domain, certificate) {
				log.Info("the certificate is another one, for new connections", "domain", domain, "expires", certificate.Leaf.NotAfter)
			}
			reminder.check(ctx, certificate.Leaf, domain)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
	}
}

// take serves a certificate, and reports whether it is another one.
func (a *ACME) take(domain string, certificate *tls.Certificate) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.issued[domain]
	a.issued[domain] = certificate
	return before == nil || !before.Leaf.Equal(certificate.Leaf)
}

// obtain returns the certificate that there is, from memory or the cache, or has
// one issued. The manager takes no context: when ctx is done, its requests are cut,
// and a pause that the authority has asked for is not waited for.
func (a *ACME) obtain(ctx context.Context, domain string) (*tls.Certificate, error) {
	var (
		certificate *tls.Certificate
		err         error
	)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// The hello is that of a client that takes ECDSA, as all that speak TLS 1.2 do.
		hello := &tls.ClientHelloInfo{ServerName: domain, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
		certificate, err = a.manager.GetCertificate(hello)
	}()
	select {
	case <-ended:
		return certificate, err
	case <-ctx.Done():
	}
	select {
	case <-ended:
	case <-time.After(giveUp):
	}
	return nil, ctx.Err()
}

// cut ends requests when ctx is done, whatever their own context says.
type cut struct {
	ctx  context.Context
	next http.RoundTripper // http.DefaultTransport when nil
}

// RoundTrip implements [http.RoundTripper].
func (c cut) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(c.ctx, cancel)
	context.AfterFunc(ctx, func() { stop() }) // its own context ends, and with it the reading of the body
	next := c.next
	if next == nil {
		next = http.DefaultTransport
	}
	return next.RoundTrip(r.WithContext(ctx))
}
