package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/redissessions"
	"github.com/seed3686fee0/parlor/server"
)

// adminRole is what a token has to say of its user for them to be an
// administrator.
const adminRole = "admin"

// adminAPIPath is where the API for administrators is.
const adminAPIPath = config.AdminPath + "api"

// An administration is the namespace of administrators, with the Admin UI and the
// API. A nil one is that of a server without.
type administration struct {
	// Static.
	cfg      *config.Config
	keys     *keyring
	auth     admin.Auth
	page     http.Handler
	built    bool     // whether the page is the Admin UI; if not it says that it has not been built in
	ways     []string // for the log: how one becomes an administrator
	warnings []string

	admin *admin.Admin // set by mount
}

// openAdministration reads what the flags name. An error about what one says is a
// [*config.Error].
func openAdministration(cfg *config.Config, keys *keyring) (*administration, error) {
	if !cfg.Admin.Enabled() {
		return nil, nil //nolint:nilnil // see administration
	}
	a := &administration{cfg: cfg, keys: keys, page: http.HandlerFunc(notBuiltIn)}
	if err := a.readAuth(); err != nil {
		return nil, err
	}
	return a, nil
}

// servePage has the page be the Admin UI, unless it has not been built in.
func (a *administration) servePage(page, icons fs.FS) error {
	if a == nil || !a.cfg.Admin.UI || page == nil || icons == nil {
		return nil
	}
	var err error
	a.page, err = admin.UI(page, admin.UIOptions{
		Icons:       icons,
		Path:        config.AdminPath,
		SocketPath:  a.cfg.Path,
		Namespace:   a.cfg.Admin.Namespace,
		MessagePack: a.cfg.Parser == config.Msgpack,
	})
	if err != nil {
		return fmt.Errorf("cannot serve the page of --%s: %w", config.AdminUIFlag, err)
	}
	a.built = true
	return nil
}

// complaints are about what is not safe.
func (a *administration) complaints() []string {
	if a == nil {
		return nil
	}
	return a.warnings
}

// notBuiltIn answers in the place of a page that is not there.
func notBuiltIn(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "The Admin UI is not built in; make run builds it. What it connects to is served.", http.StatusNotFound)
}

// readAuth finds out who is an administrator.
func (a *administration) readAuth() error {
	var list []admin.Auth
	if settings := a.cfg.Admin; settings.HasPassword() {
		hash, warning, err := readKeyFile(config.AdminHashFileFlag, settings.PasswordHashFile, true)
		if err != nil {
			return err
		}
		cost, err := bcrypt.Cost(hash)
		if err != nil { // of which nothing is repeated: it may be the password
			return config.NewError(config.AdminHashFileFlag, "%q does not hold a bcrypt hash, 60 characters that begin with $2; parlor admin hash makes one", settings.PasswordHashFile)
		}
		if cost < bcrypt.DefaultCost {
			a.warnings = append(a.warnings, fmt.Sprintf("the password of administrators is quickly guessed by who has its hash, whose cost is %d; make another with parlor admin hash", cost))
		}
		if warning != "" {
			a.warnings = append(a.warnings, warning)
		}
		list = append(list, admin.Basic(settings.User, string(hash)))
		a.ways = append(a.ways, "password")
	}
	if a.keys.verifier != nil {
		list = append(list, admin.JWT(principal(a.keys), adminRole))
		a.ways = append(a.ways, "token")
	}
	a.auth = admin.Any(list...)
	if a.cfg.Admin.Insecure {
		a.auth = admin.Insecure()
		a.ways = []string{"none"}
		a.warnings = append(a.warnings, "everyone who reaches this address is an administrator, and sees and disconnects all: --admin-insecure (PARLOR_ADMIN_INSECURE) is for a machine of one's own; give --admin-user and --admin-password-hash-file")
	}
	return nil
}

// principal returns whose token it is. They are known by their id, which is what
// the log is to say: a name is chosen by who has it.
func principal(keys *keyring) func(context.Context, string) (admin.Principal, error) {
	return func(ctx context.Context, token string) (admin.Principal, error) {
		key := keys.mark() // before: one that is replaced meanwhile must not pass for the new one
		id, err := keys.verifier.Verify(ctx, token)
		return admin.Principal{Name: id.ID, Roles: id.Roles, Expires: id.Expires, Credential: key}, err
	}
}

// recheck ends sessions that were made with a token of another key: whoever had that
// could make tokens of his own.
func (a *administration) recheck(_ context.Context, p admin.Principal) error {
	if p.Credential != admin.NodeCredential && p.Credential != a.keys.mark() {
		return errors.New("the key of its token is not the one that is good now")
	}
	return nil
}

// mount puts the namespace on the server, which may be one of a cluster: who has
// logged in is known to all of it then, Node's servers among them.
func (a *administration) mount(io *server.Server, shared *cluster, log *slog.Logger) error {
	if a == nil {
		return nil
	}
	opts := admin.Options{
		Namespace: a.cfg.Admin.Namespace,
		Auth:      a.auth,
		ReadOnly:  a.cfg.Admin.ReadOnly,
		Recheck:   a.recheck,
		Logger:    newSparse(log),
	}
	if a.cfg.Admin.Mode == config.Production {
		opts.Mode = admin.Production
	}
	if shared != nil {
		opts.Sessions = redissessions.New(shared.rdb, redissessions.Options{Prefix: a.cfg.Prefix + "-admin"})
	}
	var err error
	if a.admin, err = admin.Mount(io, opts); err != nil {
		return fmt.Errorf("cannot serve administrators: %w", err)
	}
	return nil
}

// trees are where the page is, and the API.
func (a *administration) trees() []tree {
	if a == nil {
		return nil
	}
	trees := []tree{{adminAPIPath + "/", http.StripPrefix(adminAPIPath, a.admin.API())}}
	if a.cfg.Admin.UI {
		trees = append(trees, tree{config.AdminPath, a.page}) // last: the other is below it
	}
	return trees
}

// announce logs where the page is, base being the server's address, and who may use it.
func (a *administration) announce(log *slog.Logger, base string) {
	if a == nil {
		return
	}
	page := notBuilt
	switch {
	case !a.cfg.Admin.UI:
		page = "none"
	case a.built:
		page = strings.TrimSuffix(base, "/") + config.AdminPath
	}
	log.Info("admin",
		"page", page,
		"api", adminAPIPath+"/",
		"namespace", a.cfg.Admin.Namespace,
		"auth", strings.Join(a.ways, " "),
		"user", cmp.Or(a.cfg.Admin.User, "any"),
		"mode", a.cfg.Admin.Mode,
		"read_only", a.cfg.Admin.ReadOnly,
	)
	for _, warning := range a.complaints() {
		log.Warn(warning)
	}
}

// close ends what mount has started.
func (a *administration) close() error {
	if a == nil || a.admin == nil {
		return nil
	}
	return a.admin.Close()
}
