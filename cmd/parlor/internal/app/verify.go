package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
)

// verify says whether serve would start: the flags are valid, which they are by
// now, and the files that they name can be used. It fetches the key set, if there
// is one, and does not connect to Redis, without which serve starts as well.
func verify(cfg *config.Config, stdout io.Writer) error {
	if _, err := openCertificate(cfg); err != nil {
		return err
	}
	keys, err := openKeys(context.Background(), &cfg.Auth, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer keys.close()
	administration, err := openAdministration(cfg, keys)
	if err != nil {
		return err
	}
	complaints := slices.Concat(warnings(cfg), keys.warnings, administration.complaints())
	_, complaint, err := readOpsToken(&cfg.Ops)
	if err != nil {
		return err
	}
	complaints = append(complaints, complaint)
	if cfg.HasRedis() {
		if _, complaint, err = redisTarget(&cfg.Redis); err != nil {
			return err
		}
		complaints = append(complaints, complaint)
	}
	for _, warning := range complaints {
		if warning == "" {
			continue
		}
		if err := printLine(stdout, "warning: "+warning); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(stdout, "the configuration can be used")
	return err
}
