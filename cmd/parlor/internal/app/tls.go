package app

import (
	"fmt"

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
			return nil, config.NewError(config.ACMECacheFlag, "%q cannot be used: %v", cfg.ACMECache, reason(err))
		}
		return authority, nil
	}
	files, err := certificate.Load(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("cannot use the certificate and key of --tls-cert (PARLOR_TLS_CERT) and --tls-key (PARLOR_TLS_KEY): %w", err)
	}
	return files, nil
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
