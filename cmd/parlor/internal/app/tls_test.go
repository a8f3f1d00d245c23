package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
)

// certify writes a certificate for 127.0.0.1 with its key, and returns the serial
// number.
func certify(t *testing.T, cert, key string) string {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	rewrite(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return serial.String()
}

// A new certificate is for new connections; those that are there stay.
func TestReloadCertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	serial := certify(t, cert, key)
	cmd, log, _, addr := serving(t, "--tls-cert="+cert, "--tls-key="+key)
	shakes := func(want string) *tls.Conn {
		t.Helper()
		conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if got := conn.ConnectionState().PeerCertificates[0].SerialNumber.String(); got != want {
			t.Errorf("the certificate %s, want %s", got, want)
		}
		return conn
	}
	before := shakes(serial)

	rewrite(t, key, "half-written")
	send(t, cmd, syscall.SIGHUP)
	waitFor(t, log, "nothing has changed")
	_ = shakes(serial)
	renewed := certify(t, cert, key)
	send(t, cmd, syscall.SIGHUP)
	waitFor(t, log, "the certificate is another one")
	_ = shakes(renewed)
	if _, err := before.Write([]byte("GET /icon.svg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")); err != nil {
		t.Error(err)
	}
	answer := make([]byte, len("HTTP/1.1 "))
	if _, err := before.Read(answer); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1") {
		t.Errorf("the connection from before: %q, %v", answer, err)
	}
	send(t, cmd, syscall.SIGTERM)
	waitFor(t, log, "stopped")
	_ = cmd.Wait()
}

// Clients connect over TLS on every transport; files that change are taken over
// without a signal, for new connections, and those that are there go on. When it
// expires is in the metrics.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	_ = certify(t, cert, key)
	m := startMember(t, "--tls-cert="+cert, "--tls-key="+key, "--ops-addr=127.0.0.1:0")
	node := jstest.Start(t)
	connects := func(transports []string) *jstest.Client {
		ca, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		return node.Connected("https://"+m.addr, jstest.Options{Namespace: "/chat", Transports: transports, CA: string(ca), NoReconnect: true})
	}
	expires := func() float64 {
		return scrapes(t, m.opsAddr(t))["parlor_certificate_expires_timestamp_seconds"]
	}
	clients := []*jstest.Client{connects(jstest.WebSocket), connects(jstest.Polling), connects(jstest.Upgrade)}
	clients[2].WaitManager("upgrade") // which is a new connection too
	if left := time.Until(time.Unix(int64(expires()), 0)); left < 50*time.Minute || left > time.Hour {
		t.Errorf("it expires in %v", left)
	}

	_ = certify(t, cert, key)
	m.log.wait(t, `msg="the certificate is another one`, 1)
	clients = append(clients, connects(jstest.WebSocket), connects(jstest.Polling), connects(jstest.Upgrade))
	for i, c := range clients {
		if i == 1 {
			continue // its next poll may need a new connection, which it does not trust
		}
		_ = c.Call("join", "r")
	}
}

// A directory that certificates cannot be kept in is said before an authority is asked for one.
func TestCacheThatCannotBeWritten(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other words")
	}
	dir := t.TempDir()
	file, closed := filepath.Join(dir, "file"), filepath.Join(dir, "closed")
	rewrite(t, file, "")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	for cache, what := range map[string]string{filepath.Join(dir, "none"): "no such file or directory", file: "not a directory", closed: "permission denied"} {
		if cache == closed && os.Geteuid() == 0 {
			continue // root may write everywhere
		}
		_, err := openCertificate(parse(t, "--acme-domain=a.example", "--acme-cache="+cache))
		want := `--acme-cache (PARLOR_ACME_CACHE): the certificates cannot be kept in "` + cache + `": ` + what + "; give a directory that is there and that parlor may write to"
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}
