package config

import (
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestAdminFlags(t *testing.T) {
	const password = "--admin-ui --admin-user=root --admin-password-hash-file=h"
	standard := Admin{UI: true, User: "root", PasswordHashFile: "h", Mode: "development", Namespace: "/admin"}
	for name, test := range map[string]struct {
		args string
		env  map[string]string
		want func(*Admin)
	}{
		"password":   {args: password, want: func(*Admin) {}},
		"production": {args: password + " --admin-mode=production --admin-read-only", want: func(a *Admin) { a.Mode, a.ReadOnly = "production", true }},
		"namespace":  {args: password + " --admin-namespace=/ops/admin", want: func(a *Admin) { a.Namespace = "/ops/admin" }},
		"insecure":   {args: "--admin-ui --admin-insecure", want: func(a *Admin) { a.Insecure, a.User, a.PasswordHashFile = true, "", "" }},
		"a key":      {args: "--admin-ui --auth-secret-file=s", want: func(a *Admin) { a.User, a.PasswordHashFile = "", "" }},
		"both":       {args: password + " --auth-secret-file=s", want: func(*Admin) {}},
		"API alone":  {args: "--admin-api --admin-insecure --path=/admin/", want: func(a *Admin) { a.UI, a.API, a.Insecure, a.User, a.PasswordHashFile = false, true, true, "", "" }},
		"below":      {args: password + " --path=/admin/socket.io/", want: func(*Admin) {}},
		"no admins":  {want: func(a *Admin) { a.UI, a.User, a.PasswordHashFile = false, "", "" }},
		"off":        {args: "--admin-ui=false", want: func(a *Admin) { a.UI, a.User, a.PasswordHashFile = false, "", "" }},
		"environment": {
			env: map[string]string{
				"PARLOR_ADMIN_UI": "true", "PARLOR_ADMIN_USER": "root", "PARLOR_ADMIN_PASSWORD_HASH_FILE": "h",
				"PARLOR_ADMIN_READ_ONLY": "true", "PARLOR_ADMIN_MODE": "production", "PARLOR_ADMIN_NAMESPACE": "/a",
			},
			want: func(a *Admin) { a.ReadOnly, a.Mode, a.Namespace = true, "production", "/a" },
		},
		"environment, insecure": {
			env:  map[string]string{"PARLOR_ADMIN_UI": "true", "PARLOR_ADMIN_INSECURE": "true"},
			want: func(a *Admin) { a.Insecure, a.User, a.PasswordHashFile = true, "", "" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			command, err := Parse(strings.Fields(test.args), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			want := standard
			test.want(&want)
			if got := command.(*Config).Admin; got != want {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

// One line that names the flag and its variable, for everything that would leave
// the administration open, or closed, that was meant otherwise.
func TestBadAdminFlags(t *testing.T) {
	const (
		user     = "--admin-user (PARLOR_ADMIN_USER): "
		file     = "--admin-password-hash-file (PARLOR_ADMIN_PASSWORD_HASH_FILE): "
		name     = "--admin-namespace (PARLOR_ADMIN_NAMESPACE): "
		empty    = "is given, but empty; give a value, or leave it out"
		noEffect = "has no effect without the Admin UI or the API; give --admin-ui or --admin-api too"
		nobody   = "would let nobody in; give --admin-user and --admin-password-hash-file, which is for what parlor admin hash prints, " +
			"or a key of tokens with the role admin, --auth-secret-file say"
		open = "--admin-ui --admin-insecure "
	)
	refused(t, []refusal{
		{args: "--admin-ui", want: "--admin-ui (PARLOR_ADMIN_UI): " + nobody},
		{args: "--admin-api", want: "--admin-api (PARLOR_ADMIN_API): " + nobody},
		{env: "PARLOR_ADMIN_UI=true", want: "--admin-ui (PARLOR_ADMIN_UI): " + nobody},
		{args: "--admin-ui --anonymous", want: "--admin-ui (PARLOR_ADMIN_UI): " + nobody},
		{args: "--admin-ui --admin-user=root", want: file + "is missing while --admin-user is given; give both, or neither"},
		{args: "--admin-ui --admin-password-hash-file=h", want: user + "is missing while --admin-password-hash-file is given; give both, or neither"},
		{args: "--admin-ui --admin-user=root", env: "PARLOR_ADMIN_PASSWORD_HASH_FILE=", want: file + empty},
		{args: "--admin-ui --auth-secret-file=s", env: "PARLOR_ADMIN_USER=", want: user + empty},
		{args: open + "--admin-user=root --admin-password-hash-file=h", want: "--admin-insecure (PARLOR_ADMIN_INSECURE): lets everybody in, whom --admin-user is to keep out; leave one of them out"},
		{args: "--admin-user=root --admin-password-hash-file=h", want: user + noEffect},
		{args: "--admin-insecure", want: "--admin-insecure (PARLOR_ADMIN_INSECURE): " + noEffect},
		{env: "PARLOR_ADMIN_MODE=production", want: "--admin-mode (PARLOR_ADMIN_MODE): " + noEffect},
		{args: open + "--admin-mode=prod", want: `--admin-mode (PARLOR_ADMIN_MODE): "prod" is none of the values there are; use one of development, production`},
		{args: open + "--path=/admin", want: "--path (PARLOR_PATH): is /admin/, where --admin-ui has its page; choose another"},
		{args: open + "--admin-namespace=admin", want: name + `"admin" is not a name below /; write it like /admin`},
		{args: open + "--admin-namespace=/", want: name + `"/" is not a name below /; write it like /admin`},
		{args: open + "--admin-namespace=/admin/", want: name + `"/admin/" is not a name below /; write it like /admin`},
		{args: open + "--admin-namespace=/a?b", want: name + `"/a?b" holds '?'; use letters, digits and / . _ ~ - alone`},
		{args: open + "--admin-namespace=/chat", want: name + "/chat is the chat's; choose another, like /admin"},
		{args: "admin", want: `expected one of "sockets", "rooms", "kick", "broadcast", "stats", ... (parlor admin --help lists what there is)`},
		{args: "admin hash hunter2", want: "unexpected argument hunter2 (parlor admin --help lists what there is)"},
	})
}

func TestAdminHashCommand(t *testing.T) {
	clearEnv(t)
	if got, err := Parse([]string{"admin", "hash"}, io.Discard); err != nil || !reflect.DeepEqual(got, AdminHash{}) {
		t.Errorf("%+v, %v", got, err)
	}
}
