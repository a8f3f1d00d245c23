package certificate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const day = 24 * time.Hour

// A visitor has a server whose certificates are from an authority.
type visitor struct {
	t         *testing.T
	authority *authority
	cache     string
	acme      *ACME
	stop      func() // ends the server

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

// Write implements [io.Writer], for the log.
func (v *visitor) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.log.Write(p)
}

// said returns how often the log has a text, and forgets it.
func (v *visitor) said(text string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := strings.Count(v.log.String(), text)
	v.log.Reset()
	return n
}

// start starts the server, or starts it anew with the cache of the one before.
func (v *visitor) start() {
	v.t.Helper()
	if v.stop != nil {
		v.stop()
	}
	a, err := NewACME(ACMEOptions{
		Domains: []string{"chat.example"}, Cache: v.cache, Email: "ops@chat.example",
		Directory: authorityURL + "/directory", Client: &http.Client{Transport: v.authority},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	v.acme = a
	v.authority.site = a.Config
	ctx, cancel := context.WithCancel(v.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.Run(ctx, slog.New(slog.NewTextHandler(v, nil)))
	}()
	v.stop = sync.OnceFunc(func() { cancel(); <-ended })
	v.t.Cleanup(v.stop)
}

// pass lets time go by, and what is due meanwhile happen.
func (v *visitor) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// sees returns the serial number of the certificate that a client is shown who asks
// for a name, and believes it; 0 when there is none.
func (v *visitor) sees(name string) int64 {
	roots := x509.NewCertPool()
	roots.AddCert(v.authority.root)
	state, err := shake(v.acme.Config(), &tls.Config{ServerName: name, RootCAs: roots})
	if err != nil {
		return 0
	}
	return state.PeerCertificates[0].SerialNumber.Int64()
}

func (v *visitor) reach(yes bool) {
	v.authority.mu.Lock()
	defer v.authority.mu.Unlock()
	v.authority.down = !yes
}

// count returns how many requests the authority has got, and certificates issued.
func (v *visitor) count() (requests, issued int) {
	v.authority.mu.Lock()
	defer v.authority.mu.Unlock()
	return v.authority.requests, v.authority.issued
}

// The life of a certificate: it is issued when the authority can be reached, for the
// name that is configured and no other; kept over a restart; renewed in time, and
// served to its end where the authority is not there.
func TestACME(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &visitor{t: t, authority: newAuthority(t, 6*day), cache: t.TempDir()}
		v.reach(false)
		v.start()
		v.pass(time.Second)
		if n := v.said("the authority has issued no certificate"); v.sees("chat.example") != 0 || n != 1 {
			t.Errorf("without an authority: a certificate, or %d lines in the log", n)
		}
		v.reach(true)
		v.pass(10 * time.Minute) // it is asked again after one, or two
		first := v.sees("chat.example")
		if first == 0 || v.said(`msg="the certificate is another one, for new connections" domain=chat.example`) != 1 {
			t.Fatal("there is no certificate, or nothing in the log")
		}
		if expires := time.Until(v.acme.Expires()); expires <= 5*day || expires > 6*day {
			t.Errorf("it expires in %v", expires)
		}

		before, _ := v.count()
		for _, name := range []string{"other.example", "www.chat.example"} {
			if v.sees(name) != 0 {
				t.Errorf("there is a certificate for %s", name)
			}
		}
		v.reach(false)
		v.start()
		v.pass(time.Second)
		if got := v.sees("chat.example"); got != first {
			t.Errorf("after a restart it is certificate %d, want %d", got, first)
		}
		v.reach(true)
		if requests, _ := v.count(); requests != before {
			t.Errorf("the authority got %d requests, for other names or what is in the cache", requests-before)
		}

		v.pass(3 * day)
		if got := v.sees("chat.example"); got != first {
			t.Errorf("half of its time over it is certificate %d, want %d", got, first)
		}
		v.pass(2 * day)
		second := v.sees("chat.example")
		if _, issued := v.count(); second == 0 || second == first || issued != 2 {
			t.Fatalf("near its end it is certificate %d, of %d that were issued", second, issued)
		}
		if v.said("expires soon") != 0 {
			t.Error("a certificate that was renewed in time was said to expire soon")
		}

		v.reach(false)
		before, _ = v.count()
		v.pass(time.Until(v.acme.Expires()) - 3*time.Hour)
		if got := v.sees("chat.example"); got != second {
			t.Errorf("without an authority it is certificate %d, want %d", got, second)
		}
		if requests, _ := v.count(); requests < before+10 {
			t.Errorf("the authority was asked %d times in two days", requests-before)
		}
		if n := v.said(`level=WARN msg="the certificate expires soon; renew it" domain=chat.example`); n != 1 && n != 2 {
			t.Errorf("it was said %d times that it expires soon", n)
		}
		v.reach(true)
		v.pass(2 * time.Hour) // the next try is after one at most
		if got := v.sees("chat.example"); got == 0 || got == second {
			t.Errorf("with the authority back it is certificate %d, of %d", got, second)
		}
	})
}

// Where the directory cannot be written any more, that is said, and a certificate is renewed once and served all the
// same.
func TestACMEThatKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &visitor{t: t, authority: newAuthority(t, 6*day), cache: filepath.Join(t.TempDir(), "cache")}
		if err := os.Mkdir(v.cache, 0o700); err != nil {
			t.Fatal(err)
		}
		v.start()
		v.pass(time.Minute)
		first := v.sees("chat.example")
		if first == 0 || v.said("cannot be kept") != 0 {
			t.Fatal("there is no certificate, or it was not kept")
		}
		if err := errors.Join(os.RemoveAll(v.cache), os.WriteFile(v.cache, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		v.pass(5*day + 12*time.Hour)
		second := v.sees("chat.example")
		if _, issued := v.count(); second == 0 || second == first || issued != 2 {
			t.Errorf("near its end it is certificate %d, of %d that were issued", second, issued)
		}
		if n := v.said("level=ERROR msg=\"what the authority has issued cannot be kept"); n != 1 {
			t.Errorf("%d lines in the log", n)
		}
	})
}
