package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
)

func rewrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// SIGHUP has the command read its file and its key again: what can hold at once
// does, what cannot is said, and a file that is wrong changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	file, secret := filepath.Join(t.TempDir(), "parlor.yaml"), keyFile(t, newSecret())
	settings := "auth-secret-file: " + secret + "\n"
	rewrite(t, file, settings+"log-level: info\n")
	cmd, log, _, addr := serving(t, "--config="+file, "--log-format=text")
	reload := func(want ...string) {
		t.Helper()
		send(t, cmd, syscall.SIGHUP)
		for _, text := range want {
			waitFor(t, log, text)
		}
	}
	admits := func(token string, yes bool) {
		t.Helper()
		s := open(t, addr, wire.Websocket)
		defer func() { _ = s.Close() }()
		want := []string{"44" + fmt.Sprintf(refused, "token_invalid")}
		if yes {
			want = []string{`40{"sid":"*"}`, `42["connected",{"userId":"ada",*`}
		}
		connects(t, s, `40{"token":"`+token+`"}`, want...)
	}
	first := minted(t, "--auth-secret-file="+secret)
	admits(first, true)

	rewrite(t, secret, newSecret())
	second := minted(t, "--auth-secret-file="+secret)
	admits(second, false) // nobody has said that it has changed
	rewrite(t, file, settings+"log-level: debug\nchat-rate: 3\n")
	reload("the configuration was read again",
		"the key was read again",
		`msg="a setting has changed" before=info now=debug setting=log-level`,
		`msg="a setting has changed and needs a restart" before=10 setting=chat-rate then=3`)
	admits(second, true)
	admits(first, false)

	for _, wrong := range []string{"log-level: loud\n", "chat-rat: 3\n"} {
		rewrite(t, file, settings+wrong)
		reload("nothing has changed")
	}
	rewrite(t, secret, "short")
	rewrite(t, file, settings)
	reload("nothing has changed")
	admits(second, true)

	send(t, cmd, syscall.SIGTERM)
	waitFor(t, log, "stopped")
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

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
