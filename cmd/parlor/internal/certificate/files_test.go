package certificate

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A keyPair is what the two files have in them.
type keyPair struct{ cert, key, serial string }

func newPair(t *testing.T, valid time.Duration) keyPair {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now(), NotAfter: time.Now().Add(valid), DNSNames: []string{"parlor.example"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), serial.String(),
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A bench has files that are looked at, in a bubble of fake time.
type bench struct {
	t         *testing.T
	cert, key string
	files     *Files

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

// Write implements [io.Writer], for the log.
func (b *bench) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

// said returns how often the log has a text, and forgets it.
func (b *bench) said(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := strings.Count(b.log.String(), text)
	b.log.Reset()
	return n
}

func run(t *testing.T, pair keyPair) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, cert: filepath.Join(dir, "cert"), key: filepath.Join(dir, "key")}
	write(t, b.cert, pair.cert)
	write(t, b.key, pair.key)
	files, err := Load(b.cert, b.key)
	if err != nil {
		t.Fatal(err)
	}
	b.files = files
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		files.Run(ctx, slog.New(slog.NewTextHandler(b, nil)))
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return b
}

// shows checks which certificate a new connection is shown.
func (b *bench) shows(want keyPair) {
	b.t.Helper()
	state, err := shake(b.files.Config(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		b.t.Fatal(err)
	}
	if got := state.PeerCertificates[0].SerialNumber.String(); got != want.serial {
		b.t.Errorf("the certificate %s, want %s", got, want.serial)
	}
}

// shake is a handshake over a pipe.
func shake(server, client *tls.Config) (tls.ConnectionState, error) {
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		if conn := tls.Server(far, server); conn.Handshake() == nil {
			_, _ = conn.Read(make([]byte, 1)) // until the client goes
		}
	}()
	conn := tls.Client(near, client)
	err := conn.Handshake()
	_ = near.Close()
	<-done
	return conn.ConnectionState(), err
}

// A pair that is replaced one file after the other is taken over when it is whole,
// and nothing is said of the time between.
func TestHalfWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newPair(t, time.Hour), newPair(t, time.Hour)
		b := run(t, first)
		write(t, b.cert, second.cert)
		time.Sleep(patience - interval)
		b.shows(first)
		write(t, b.key, second.key)
		time.Sleep(interval + 1)
		b.shows(second)
		time.Sleep(patience * 2)
		if n := b.said("level=ERROR"); n != 0 {
			t.Errorf("%d complaints", n)
		}
	})
}

// A pair that cannot be used leaves the one from before, and is said once.
func TestBrokenPair(t *testing.T) {
	for name, breaks := range map[string]func(t *testing.T, b *bench, other keyPair){
		"another's key":  func(t *testing.T, b *bench, other keyPair) { t.Helper(); write(t, b.key, other.key) },
		"not PEM":        func(t *testing.T, b *bench, _ keyPair) { t.Helper(); write(t, b.cert, "certificate") },
		"empty":          func(t *testing.T, b *bench, _ keyPair) { t.Helper(); write(t, b.cert, "") },
		"no end of size": func(t *testing.T, b *bench, _ keyPair) { t.Helper(); write(t, b.cert, strings.Repeat(" ", maxFile+1)) },
		"gone": func(t *testing.T, b *bench, _ keyPair) {
			t.Helper()
			if err := os.Remove(b.cert); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				first, second := newPair(t, time.Hour), newPair(t, time.Hour)
				b := run(t, first)
				breaks(t, b, second)
				time.Sleep(3 * patience)
				b.shows(first)
				if n := b.said("cannot be used: the pair from before stays"); n != 1 {
					t.Errorf("said %d times", n)
				}
				write(t, b.cert, second.cert)
				write(t, b.key, second.key)
				time.Sleep(interval + 1)
				b.shows(second)
				if n := b.said("the certificate is another one"); n != 1 {
					t.Errorf("a pair that can be used was said %d times", n)
				}
			})
		})
	}
}

// Replace is what a signal does; the files that are looked at are the new ones then.
func TestReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, third := newPair(t, time.Hour), newPair(t, time.Hour), newPair(t, time.Hour)
		b := run(t, first)
		dir := t.TempDir()
		cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
		write(t, cert, second.cert)
		write(t, key, second.key)
		other, err := Load(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		if !b.files.Replace(other) || b.files.Replace(other) {
			t.Error("a certificate is another one, and then the same")
		}
		b.shows(second)
		write(t, b.cert, "of no concern any more")
		write(t, cert, third.cert)
		write(t, key, third.key)
		time.Sleep(time.Minute)
		b.shows(third)
	})
}

// That a certificate is to be renewed is said once a day, from a fifth of its time
// or two weeks before its end.
func TestReminder(t *testing.T) {
	for _, test := range []struct {
		valid, warnings, errors int // in days
	}{
		{valid: 5, warnings: 1, errors: 3},
		{valid: 90, warnings: 14, errors: 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			const day = 24 * time.Hour
			b := &bench{t: t}
			reminder := reminder{log: slog.New(slog.NewTextHandler(b, nil))}
			block, _ := pem.Decode([]byte(newPair(t, time.Duration(test.valid)*day).cert))
			leaf, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			looks := func(over time.Duration) {
				for ; over > 0; over -= time.Hour {
					reminder.check(t.Context(), leaf, "parlor.example")
					time.Sleep(time.Hour)
				}
			}
			looks(time.Duration(test.valid-test.warnings) * day)
			if n := b.said("level="); n != 0 {
				t.Errorf("%d days: %d lines while there is time", test.valid, n)
			}
			looks(time.Duration(test.warnings) * day)
			if n := b.said("expires soon; renew it\" domain=parlor.example expires="); n != test.warnings {
				t.Errorf("%d days: %d warnings", test.valid, n)
			}
			looks(time.Duration(test.errors) * day)
			if n := b.said("has expired"); n != test.errors {
				t.Errorf("%d days: %d errors", test.valid, n)
			}
		})
	}
}

// Who watches the files says it too, of the certificate that is used then.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, newPair(t, 10*time.Minute))
		if want := time.Now().Add(10 * time.Minute); !b.files.Expires().Equal(want) {
			t.Errorf("expires %v, want %v", b.files.Expires(), want)
		}
		time.Sleep(9 * time.Minute)
		if n := b.said("expires soon"); n != 1 {
			t.Errorf("%d warnings", n)
		}
		renewed := newPair(t, time.Hour)
		write(t, b.cert, renewed.cert)
		write(t, b.key, renewed.key)
		time.Sleep(30 * time.Minute)
		if n := b.said("level="); n != 1 { // that it is another one
			t.Errorf("%d lines after it was renewed", n)
		}
	})
}

// TLS 1.2 is the oldest, and HTTP/1.1 all that there is.
func TestConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := run(t, newPair(t, time.Hour))
		if _, err := shake(b.files.Config(), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
			t.Error("TLS 1.1 was accepted")
		}
		state, err := shake(b.files.Config(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil || state.NegotiatedProtocol != "http/1.1" {
			t.Errorf("negotiated %q, %v", state.NegotiatedProtocol, err)
		}
		if _, err := shake(b.files.Config(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}); err == nil {
			t.Error("HTTP/2 alone was accepted")
		}
	})
}
