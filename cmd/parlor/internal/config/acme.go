package config

import (
	"net"
	"net/url"
	"strings"
)

// ACMECacheFlag names the directory that errors are found out later about.
const ACMECacheFlag = "acme-cache"

// ACME says how certificates are had from an authority, instead of from files.
type ACME struct {
	ACMEDomain    []string `help:"Name that clients connect to, to get a certificate for from Let's Encrypt or --acme-directory (ACME). Giving one is to accept that authority's terms. It has to reach this server under the name on port 443. Repeatable." name:"acme-domain" placeholder:"NAME"`
	ACMECache     string   `help:"Directory, there already, for the certificates, their keys and that of the account. Needed for --acme-domain." name:"acme-cache" placeholder:"DIR"`
	ACMEEmail     string   `help:"Address that the authority may write to." name:"acme-email" placeholder:"ADDRESS"`
	ACMEDirectory string   `help:"URL of the directory of another authority. Let's Encrypt's when not given." name:"acme-directory" placeholder:"URL" secret:"url"`
}

// HasACME reports whether certificates are had from an authority.
func (a *ACME) HasACME() bool { return len(a.ACMEDomain) > 0 }

func (a *ACME) check(files bool) *Error {
	if !a.HasACME() {
		for _, setting := range []named{{ACMECacheFlag, a.ACMECache}, {"acme-email", a.ACMEEmail}, {"acme-directory", a.ACMEDirectory}} {
			if setting.value != "" {
				return newError(setting.name, "has no effect without a name to get a certificate for; give --acme-domain (%s) too", envName("acme-domain"))
			}
		}
		return nil
	}
	switch {
	case files:
		return newError("acme-domain", "is given together with --tls-cert, and a certificate is from one or the other; leave one out")
	case a.ACMECache == "":
		return newError(ACMECacheFlag, "is missing while --acme-domain is given; name a directory that is kept, for authorities limit how many certificates one gets")
	case a.ACMEEmail != "" && !strings.Contains(a.ACMEEmail, "@"):
		return newError("acme-email", "%q is not an address; write it like ops@example.com", a.ACMEEmail)
	}
	if a.ACMEDirectory != "" {
		if u, err := url.Parse(a.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
			return newError("acme-directory", "%q is not the address of a directory; write it like https://acme.example.com/directory", guarded(a.ACMEDirectory))
		}
	}
	for i, name := range a.ACMEDomain {
		a.ACMEDomain[i] = strings.ToLower(name)
		if !domainName(a.ACMEDomain[i]) {
			return newError("acme-domain", "%q is not the whole name of a host; write it like chat.example.com, without wildcards, and other letters than a to z as xn--", name)
		}
	}
	return nil
}

// domainName reports whether an authority may issue a certificate for a name
// that it asks the server itself about.
func domainName(name string) bool {
	labels := strings.Split(name, ".")
	if len(labels) < 2 || len(name) > 253 || net.ParseIP(name) != nil {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}
