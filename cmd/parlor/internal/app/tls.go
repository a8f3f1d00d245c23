package app

import (
	"fmt"
	"os"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/certificate"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
)

// openCertificate returns nil when the server does not speak TLS itself.
func openCertificate(cfg *config.Config) (certificate.Source, error) {
	if !cfg.TLS() {
		return nil, nil //nolint:nilnil // no certificate is what the configuration asks for
	}
	if cfg.HasACME() {
		authority, err := certificate.NewACME(certificate.ACMEOptions{Domains: cfg.ACMEDomain, Cache: cfg.ACMECache, Email: cfg.ACMEEmail, Directory: cfg.ACMEDirectory})
		if err != nil {
			return nil, config.NewError(config.ACMECacheFlag, "the certificates cannot be kept in %q: %v; give a directory that is there and that parlor may write to; install -d -m 700 -o USER makes one, USER being who runs parlor", cfg.ACMECache, reason(err))
		}
		return authority, nil
	}
	files, err := certificate.Load(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate and key of --tls-cert (PARLOR_TLS_CERT) and --tls-key (PARLOR_TLS_KEY): %w", err)
	}
	return files, nil
}

// tlsKeyWarnings are about a private key that is none.
func tlsKeyWarnings(cfg *config.Config) []string {
	info, err := os.Stat(cfg.TLSKey) //nolint:gosec // the operator says which file
	if err != nil {
		return nil // there is none, or openCertificate says what is wrong with it
	}
	if warning := exposed("tls-key", cfg.TLSKey, info); warning != "" {
		return []string{warning}
	}
	return nil
}

// replaceCertificate takes over another certificate, for new connections, and
// reports whether it is another one. Files do not become anything else on the run.
func replaceCertificate(current, newer certificate.Source) (changed bool) {
	files, ok := current.(*certificate.Files)
	if !ok {
		return false
	}
	other, ok := newer.(*certificate.Files)
	return ok && files.Replace(other)
}
