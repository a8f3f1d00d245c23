package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/acme"
)

// An authority issues certificates by ACME (RFC 8555) to who answers for a name by
// TLS-ALPN-01 (RFC 8737). It is an [http.RoundTripper], so that there is nothing
// between it and its client that real time would pass in.
type authority struct {
	t     *testing.T
	key   *ecdsa.PrivateKey
	root  *x509.Certificate
	valid time.Duration      // how long what it issues is valid
	site  func() *tls.Config // what listens where the names point to

	mu       sync.Mutex
	down     bool
	requests int // that it was to answer, down or not
	issued   int
	serial   int64
	nonces   map[string]bool // that nobody has used yet
	account  *ecdsa.PublicKey
	orders   []*order
}

// An order is for one name, and has one challenge.
type order struct {
	name, token string
	proven      bool
	chain       []byte
}

const authorityURL = "https://acme.example"

func newAuthority(t *testing.T, valid time.Duration) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"},
		NotBefore: time.Now(), NotAfter: time.Now().AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{t: t, key: key, root: root, valid: valid, serial: 1, nonces: make(map[string]bool)}
}

// RoundTrip implements [http.RoundTripper].
func (a *authority) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests++
	if a.down {
		return nil, errors.New("nobody is there")
	}
	w := httptest.NewRecorder()
	w.Header().Set("Replay-Nonce", a.nonce())
	if err := a.serve(w, r); err != nil {
		a.t.Logf("the authority: %s: %v", r.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprintf(w, `{"type":"urn:ietf:params:acme:error:malformed","detail":%q}`, err)
	}
	res := w.Result()
	res.Request = r
	return res, nil
}

func (a *authority) nonce() string {
	nonce := rand.Text()
	a.nonces[nonce] = true
	return nonce
}

func (a *authority) serve(w http.ResponseWriter, r *http.Request) error {
	switch r.URL.Path {
	case "/directory":
		return json.NewEncoder(w).Encode(map[string]string{
			"newNonce": authorityURL + "/nonce", "newAccount": authorityURL + "/account", "newOrder": authorityURL + "/order",
		})
	case "/nonce":
		return nil
	}
	payload, err := a.open(r)
	if err != nil {
		return err
	}
	switch r.URL.Path {
	case "/account":
		w.Header().Set("Location", authorityURL+"/account/1")
		w.WriteHeader(http.StatusCreated)
		return json.NewEncoder(w).Encode(map[string]string{"status": acme.StatusValid})
	case "/order":
		return a.order(w, payload)
	}
	var what string
	var number int
	path := strings.ReplaceAll(r.URL.Path[1:], "/", " ")
	if _, err := fmt.Sscan(path, &what, &number); err != nil || number < 0 || number >= len(a.orders) {
		return fmt.Errorf("there is no %q", path)
	}
	o := a.orders[number]
	switch what {
	case "orders":
		return a.describe(w, number)
	case "authorizations":
		status := acme.StatusPending
		if o.proven {
			status = acme.StatusValid
		}
		return json.NewEncoder(w).Encode(map[string]any{
			"status": status, "identifier": map[string]string{"type": "dns", "value": o.name},
			"challenges": []any{a.challenge(number)},
		})
	case "challenges":
		if err := a.ask(o); err != nil {
			return err
		}
		return json.NewEncoder(w).Encode(a.challenge(number))
	case "finalize":
		if err := a.issue(o, payload); err != nil {
			return err
		}
		return a.describe(w, number)
	case "certificates":
		_, err := w.Write(o.chain)
		return err
	}
	return fmt.Errorf("there is no %q", path)
}

// open checks the signature of a request, that of the account's key, and returns
// what was signed.
func (a *authority) open(r *http.Request) ([]byte, error) {
	var signed struct{ Protected, Payload, Signature string }
	var header struct {
		Alg, Nonce, URL, Kid string
		JWK                  *struct{ X, Y string }
	}
	if err := json.NewDecoder(r.Body).Decode(&signed); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(unbase(signed.Protected), &header); err != nil {
		return nil, err
	}
	if header.JWK != nil {
		point := append(append([]byte{4}, unbase(header.JWK.X)...), unbase(header.JWK.Y)...)
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
		if err != nil {
			return nil, err
		}
		a.account = key
	}
	sum, signature := sha256.Sum256([]byte(signed.Protected+"."+signed.Payload)), unbase(signed.Signature)
	switch {
	case header.URL != r.URL.String() || (header.JWK == nil) != (header.Kid == authorityURL+"/account/1"):
		return nil, fmt.Errorf("it is signed for %q by %q", header.URL, header.Kid)
	case !a.nonces[header.Nonce]:
		return nil, errors.New("its nonce was not given, or is used up")
	case header.Alg != "ES256" || len(signature) != 64 || a.account == nil ||
		!ecdsa.Verify(a.account, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])):
		return nil, errors.New("its signature is wrong")
	}
	delete(a.nonces, header.Nonce)
	return unbase(signed.Payload), nil
}

func unbase(text string) []byte {
	data, _ := base64.RawURLEncoding.DecodeString(text) // of what is wrong nothing comes that is right
	return data
}

func (a *authority) order(w http.ResponseWriter, payload []byte) error {
	var asked struct{ Identifiers []struct{ Value string } }
	if err := json.Unmarshal(payload, &asked); err != nil {
		return err
	}
	if len(asked.Identifiers) != 1 {
		return fmt.Errorf("it is for %v", asked.Identifiers)
	}
	a.orders = append(a.orders, &order{name: asked.Identifiers[0].Value, token: rand.Text()})
	number := len(a.orders) - 1
	w.Header().Set("Location", fmt.Sprintf("%s/orders/%d", authorityURL, number))
	w.WriteHeader(http.StatusCreated)
	return a.describe(w, number)
}

func (a *authority) describe(w http.ResponseWriter, number int) error {
	o := a.orders[number]
	about := map[string]any{
		"status":         acme.StatusPending,
		"identifiers":    []any{map[string]string{"type": "dns", "value": o.name}},
		"authorizations": []string{fmt.Sprintf("%s/authorizations/%d", authorityURL, number)},
		"finalize":       fmt.Sprintf("%s/finalize/%d", authorityURL, number),
	}
	switch {
	case o.chain != nil:
		about["status"], about["certificate"] = acme.StatusValid, fmt.Sprintf("%s/certificates/%d", authorityURL, number)
	case o.proven:
		about["status"] = acme.StatusReady
	}
	w.Header().Set("Location", fmt.Sprintf("%s/orders/%d", authorityURL, number))
	return json.NewEncoder(w).Encode(about)
}

func (a *authority) challenge(number int) map[string]string {
	o, status := a.orders[number], acme.StatusPending
	if o.proven {
		status = acme.StatusValid
	}
	return map[string]string{
		"type": "tls-alpn-01", "status": status, "token": o.token,
		"url": fmt.Sprintf("%s/challenges/%d", authorityURL, number),
	}
}

// ask connects to the name, to see whether who listens there knows of the order.
func (a *authority) ask(o *order) error {
	state, err := shake(a.site(), &tls.Config{ServerName: o.name, NextProtos: []string{acme.ALPNProto}, InsecureSkipVerify: true})
	if err != nil {
		return fmt.Errorf("%s cannot be asked: %w", o.name, err)
	}
	thumbprint, err := acme.JWKThumbprint(a.account)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(o.token + "." + thumbprint))
	want, err := asn1.Marshal(sum[:])
	if err != nil {
		return err
	}
	leaf := state.PeerCertificates[0]
	for _, extension := range leaf.Extensions {
		o.proven = o.proven || extension.Critical && string(extension.Value) == string(want) &&
			extension.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 31}) && len(leaf.DNSNames) == 1 && leaf.DNSNames[0] == o.name
	}
	if !o.proven || state.NegotiatedProtocol != acme.ALPNProto {
		return fmt.Errorf("%s does not know of the order", o.name)
	}
	return nil
}

func (a *authority) issue(o *order, payload []byte) error {
	var asked struct{ CSR string }
	if err := json.Unmarshal(payload, &asked); err != nil {
		return err
	}
	csr, err := x509.ParseCertificateRequest(unbase(asked.CSR))
	if err != nil {
		return err
	}
	if err := csr.CheckSignature(); err != nil || !o.proven || len(csr.DNSNames) != 1 || csr.DNSNames[0] != o.name {
		return fmt.Errorf("nothing is issued for %q: %w", csr.DNSNames, err)
	}
	a.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), DNSNames: csr.DNSNames,
		NotBefore: time.Now(), NotAfter: time.Now().Add(a.valid),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.root, csr.PublicKey, a.key)
	if err != nil {
		return err
	}
	a.issued++
	for _, der := range [][]byte{der, a.root.Raw} {
		o.chain = append(o.chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return nil
}
