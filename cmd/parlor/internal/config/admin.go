package config

import "strings"

const (
	// AdminPath is where the page of the Admin UI is.
	AdminPath = "/admin/"
	// AdminNamespace is the one that it connects to, unless it is told another.
	AdminNamespace = "/admin"
)

// The flags that errors about what they name are found out later for.
const (
	AdminUIFlag        = "admin-ui"
	adminAPIFlag       = "admin-api"
	AdminHashFileFlag  = "admin-password-hash-file"
	AdminNamespaceFlag = "admin-namespace"
)

// Admin says whether and how the server is looked after, and by whom.
type Admin struct {
	UI               bool   `help:"Serve the Socket.IO Admin UI at /admin/, and the API, for who has the user name and password below, or a token with the role admin." name:"ui"`
	API              bool   `help:"Serve the API for administrators at /admin/api/ alone, without the page." name:"api"`
	User             string `help:"Name that administrators log in with. Needs --admin-password-hash-file." placeholder:"NAME"`
	PasswordHashFile string `help:"File with the bcrypt hash of their password: parlor admin hash prints one. Needs --admin-user." placeholder:"FILE"`
	ReadOnly         bool   `help:"Administrators look, and change nothing."`
	Mode             string `default:"development" help:"What is shown: development for all, production for numbers alone."`
	Namespace        string `default:"/admin" help:"Namespace that the Admin UI connects to." placeholder:"NAME"`
	Insecure         bool   `help:"Everybody who reaches the server is an administrator."`
}

// The modes.
const (
	Development = "development"
	Production  = "production"
)

// Enabled reports whether there are administrators.
func (a *Admin) Enabled() bool { return a.UI || a.API }

// HasPassword reports whether administrators may log in with one.
func (a *Admin) HasPassword() bool { return a.User != "" }

// check refuses an administration that nobody could use, that anybody could who
// was not meant to, and settings of one that is not there.
func (a *Admin) check(c *Config, given map[string]bool) *Error {
	if !a.Enabled() {
		return a.checkNone()
	}
	for _, setting := range []named{{"admin-user", a.User}, {AdminHashFileFlag, a.PasswordHashFile}} {
		if given[setting.name] && setting.value == "" {
			return newError(setting.name, "is given, but empty; give a value, or leave it out")
		}
	}
	switch {
	case a.User != "" && a.PasswordHashFile == "":
		return newError(AdminHashFileFlag, "is missing while --admin-user is given; give both, or neither")
	case a.User == "" && a.PasswordHashFile != "":
		return newError("admin-user", "is missing while --%s is given; give both, or neither", AdminHashFileFlag)
	case a.Insecure && a.HasPassword():
		return newError("admin-insecure", "lets everybody in, whom --admin-user is to keep out; leave one of them out")
	case !a.Insecure && !a.HasPassword() && !c.HasKey():
		flag := AdminUIFlag
		if !a.UI {
			flag = adminAPIFlag
		}
		return newError(flag, "would let nobody in; give --admin-user and --%s, which is for what parlor admin hash prints, or a key of tokens with the role admin, --%s say",
			AdminHashFileFlag, SecretFileFlag)
	}
	if a.UI && c.Path == AdminPath {
		return newError("path", "is %s, where --%s has its page; choose another", AdminPath, AdminUIFlag)
	}
	if err := oneOf("admin-mode", a.Mode, Development, Production); err != nil {
		return err
	}
	return a.checkNamespace()
}

// checkNone refuses settings that are not their defaults while there is nothing
// that they are of.
func (a *Admin) checkNone() *Error {
	for _, setting := range []struct {
		name string
		set  bool
	}{
		{"admin-user", a.User != ""},
		{AdminHashFileFlag, a.PasswordHashFile != ""},
		{"admin-read-only", a.ReadOnly},
		{"admin-mode", a.Mode != Development},
		{AdminNamespaceFlag, a.Namespace != AdminNamespace},
		{"admin-insecure", a.Insecure},
	} {
		if setting.set {
			return newError(setting.name, "has no effect without the Admin UI or the API; give --%s or --%s too", AdminUIFlag, adminAPIFlag)
		}
	}
	return nil
}

// checkNamespace refuses what the page cannot name: it appends the name to a URL.
func (a *Admin) checkNamespace() *Error {
	name, ok := strings.CutPrefix(a.Namespace, "/")
	if !ok || name == "" || strings.HasSuffix(name, "/") {
		return newError(AdminNamespaceFlag, "%q is not a name below /; write it like /admin", a.Namespace)
	}
	for _, c := range name {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._~-", c) {
			return newError(AdminNamespaceFlag, "%q holds %q; use letters, digits and / . _ ~ - alone", a.Namespace, c)
		}
	}
	if name == "chat" {
		return newError(AdminNamespaceFlag, "/chat is the chat's; choose another, like /admin")
	}
	return nil
}
