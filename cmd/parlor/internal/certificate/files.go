// Package certificate has what the server speaks TLS with: a pair of files that is
// watched, or certificates that an authority issues by itself (ACME).
package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

const (
	// interval is the time between two looks at the files. They are read rather
	// than watched: that sees what a changed symbolic link or a network's file
	// system brings as well, and takes microseconds.
	interval = 2 * time.Second
	// patience is how long a pair that cannot be used may stay so before it is
	// said: whoever replaces two files replaces one first.
	patience = 10 * time.Second
	// maxFile is far more than any chain takes.
	maxFile = 1 << 20
)

// Files is a certificate and its key in two files. What is written to them is
// taken over for new connections while [Files.Run] runs. All methods may be called
// concurrently.
type Files struct {
	current atomic.Pointer[pair]
}

// A pair is what two files had in them. It does not change.
type pair struct {
	certFile, keyFile string
	cert, key         []byte
	certificate       *tls.Certificate
}

// Load reads a chain and its key, both PEM.
func Load(certFile, keyFile string) (*Files, error) {
	p := &pair{certFile: certFile, keyFile: keyFile}
	if err := p.read(); err != nil {
		return nil, err
	}
	if err := p.parse(); err != nil {
		return nil, err
	}
	f := &Files{}
	f.current.Store(p)
	return f, nil
}

func (p *pair) read() error {
	cert, err := readFile(p.certFile)
	if err != nil {
		return err
	}
	key, err := readFile(p.keyFile)
	p.cert, p.key = cert, key
	return err
}

func (p *pair) parse() error {
	certificate, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return err
	}
	p.certificate = &certificate
	return nil
}

func (p *pair) same(other *pair) bool {
	return bytes.Equal(p.cert, other.cert) && bytes.Equal(p.key, other.key)
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name) //nolint:gosec // the operator says which file
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("%s is larger than %d bytes, which no certificate is", name, maxFile)
	}
	return content, err
}

// Replace takes over the files of another, and reports whether their certificate
// is another one.
func (f *Files) Replace(newer *Files) (changed bool) {
	now := newer.current.Load()
	before := f.current.Swap(now)
	return !bytes.Equal(before.certificate.Leaf.Raw, now.certificate.Leaf.Raw)
}

// Expires is when the certificate does.
func (f *Files) Expires() time.Time { return f.current.Load().certificate.Leaf.NotAfter }

// Config returns what a listener needs.
func (f *Files) Config() *tls.Config {
	return config(func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.current.Load().certificate, nil })
}

// config keeps HTTP/2 out, over which WebSocket clients do not come, and versions
// of TLS that are broken.
func config(get func(*tls.ClientHelloInfo) (*tls.Certificate, error), protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: get, NextProtos: append([]string{"http/1.1"}, protocols...)}
}

// Run looks at the files until ctx is done, takes over a pair that is new, and
// says when a certificate is to be renewed.
func (f *Files) Run(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	watch, reminder := watcher{files: f, log: log}, reminder{log: log}
	for {
		reminder.check(ctx, f.current.Load().certificate.Leaf, "")
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			watch.look()
		}
	}
}

// A watcher knows what is wrong with a pair. It belongs to one goroutine.
type watcher struct {
	files *Files
	log   *slog.Logger

	bad     *pair // what could not be used, as it was last seen; nil for nothing
	problem string
	since   time.Time
	said    bool
}

func (w *watcher) look() {
	before := w.files.current.Load()
	if !regular(before.certFile) || !regular(before.keyFile) {
		return // a pipe is read once
	}
	now := &pair{certFile: before.certFile, keyFile: before.keyFile}
	err := now.read()
	if err == nil && now.same(before) {
		w.bad = nil
		return
	}
	if err == nil {
		err = now.parse()
	}
	if err != nil {
		w.refuse(now, err)
		return
	}
	w.bad = nil
	// Another look takes what a signal has replaced meanwhile.
	if w.files.current.CompareAndSwap(before, now) {
		w.log.Info("the certificate is another one, for new connections", "expires", now.certificate.Leaf.NotAfter)
	}
}

// refuse says once what is wrong, if it stays so.
func (w *watcher) refuse(p *pair, err error) {
	switch {
	case w.bad == nil || !w.bad.same(p) || w.problem != err.Error():
		w.bad, w.problem, w.since, w.said = p, err.Error(), time.Now(), false
	case !w.said && time.Since(w.since) >= patience:
		w.said = true
		w.log.Error("the files of the certificate and its key have changed and cannot be used: the pair from before stays", "error", err)
	}
}

// regular reports false for what is there and cannot be read again.
func regular(name string) bool {
	info, err := os.Stat(name)
	return err != nil || info.Mode().IsRegular()
}
