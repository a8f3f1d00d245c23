package config

import (
	"io"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAdminCommands(t *testing.T) {
	at := func(address string) AdminServer {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return AdminServer{Address: address, URL: u, Timeout: 15 * time.Second}
	}
	local := at("http://localhost:3000")
	remote := at("https://chat.example.com/base")
	remote.User, remote.PasswordFile, remote.CAFile, remote.Timeout, remote.JSON = "ops", "pw", "ca.pem", time.Minute, true
	listing := Listing{Limit: 100}
	for _, test := range []struct {
		args []string
		env  map[string]string
		want Command
	}{
		{args: []string{"sockets"}, want: &AdminSockets{AdminServer: local, Listing: listing, Query: url.Values{}}},
		{
			args: []string{"sockets", "--namespace=/chat", "--all", "user=ada, and=more", "room=a", "data.org.id=7"},
			want: &AdminSockets{
				AdminServer: local, Listing: Listing{Limit: 100, All: true}, Namespace: "/chat",
				Filters: []string{"user=ada, and=more", "room=a", "data.org.id=7"},
				Query:   url.Values{"namespace": {"/chat"}, "user": {"ada, and=more"}, "room": {"a"}, "data.org.id": {"7"}},
			},
		},
		{args: []string{"rooms", "--prefix=lob", "--limit=7"}, want: &AdminRooms{AdminServer: local, Listing: Listing{Limit: 7}, Prefix: "lob"}},
		{args: []string{"kick", "user=ada=b", "--close"}, want: &AdminKick{AdminServer: local, Close: true, Target: "user=ada=b", Kind: "user", Value: "ada=b"}},
		{args: []string{"kick", "all", "--namespace=/"}, want: &AdminKick{AdminServer: local, Namespace: "/", Target: "all", Kind: "all"}},
		{
			args: []string{"broadcast", "--namespace=/chat", "--room=a", "notice", `{"a":[1,2]}`, `"b"`},
			want: &AdminBroadcast{AdminServer: local, Namespace: "/chat", Room: "a", Event: "notice", Args: []string{`{"a":[1,2]}`, `"b"`}},
		},
		{
			args: []string{"stats", "--url=https://chat.example.com/base", "--user=ops", "--password-file=pw", "--ca-file=ca.pem", "--timeout=1m", "--json"},
			want: &AdminStats{AdminServer: remote},
		},
		{
			args: []string{"stats", "--json"},
			env: map[string]string{
				"PARLOR_ADMIN_URL": "https://chat.example.com/base", "PARLOR_ADMIN_USER": "ops", "PARLOR_ADMIN_PASSWORD_FILE": "pw",
				"PARLOR_ADMIN_CA_FILE": "ca.pem", "PARLOR_ADMIN_TIMEOUT": "1m",
				"PARLOR_NAMESPACE": "/x", "PARLOR_JSON": "false", "PARLOR_LIMIT": "3", // are nobody's
			},
			want: &AdminStats{AdminServer: remote},
		},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			clearEnv(t)
			for name, value := range test.env {
				t.Setenv(name, value)
			}
			got, err := Parse(append([]string{"admin"}, test.args...), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("\n got %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestBadAdminCommands(t *testing.T) {
	const (
		address = "--url (PARLOR_ADMIN_URL): "
		terms   = "is nothing that sockets are found by here; use user, name, room, socket"
		nowhere = "--namespace: is missing; say where, as in --namespace=/chat"
	)
	for _, test := range []struct{ args, env, want string }{
		{args: "stats --url=localhost:3000", want: address + "is not the address"},
		{args: "stats --url=ftp://a", want: address + "is not the address"},
		{args: "stats --url=http://a?b=c", want: address + "is not the address"},
		{args: "stats --url=http://ops:hunter2@a", want: address + "has a user or a password in it"},
		{args: "stats --password-file=f", want: "--user (PARLOR_ADMIN_USER): is missing while --password-file is given"},
		{args: "stats --user=", want: "--user (PARLOR_ADMIN_USER): is given, but empty"},
		{args: "stats", env: "PARLOR_ADMIN_TOKEN_FILE=", want: "--token-file (PARLOR_ADMIN_TOKEN_FILE): is given, but empty"},
		{args: "stats --timeout=5", want: `--timeout (PARLOR_ADMIN_TIMEOUT): "5" is not a duration`},
		{args: "stats --timeout=0s", want: "--timeout (PARLOR_ADMIN_TIMEOUT): is to be more than nothing"},
		{args: "stats --password=hunter2", want: "unknown flag --password"},
		{args: "sockets ada", want: `"ada" is not NAME=VALUE; write it like user=ada`},
		{args: "sockets usr=ada", want: `"usr" ` + terms + ", transport, address, data.FIELD"},
		{args: "sockets data.=x", want: `"data." ` + terms},
		{args: "sockets user=", want: `"user=" has no value`},
		{args: "sockets user=a user=b", want: "user is there twice"},
		{args: "sockets --limit=0", want: "--limit: is to be at least 1"},
		{args: "rooms --limit=x", want: `--limit: "x" is not a whole number`},
		{args: "kick", want: `expected "<target>"`},
		{args: "kick ada", want: `"ada" is not NAME=VALUE`},
		{args: "kick data.a=b", want: `"data.a" ` + terms},
		{args: "kick address=10.0.0.0/8", want: `"address" ` + terms},
		{args: "kick all", want: nowhere},
		{args: "kick room=a", want: nowhere},
		{args: "broadcast x", want: "missing flags: --namespace=NAME"},
		{args: "broadcast --namespace=/", want: `expected "<event>`},
	} {
		t.Run(test.args+test.env, func(t *testing.T) {
			clearEnv(t)
			if name, value, ok := strings.Cut(test.env, "="); ok {
				t.Setenv(name, value)
			}
			command, err := Parse(append([]string{"admin"}, strings.Fields(test.args)...), io.Discard)
			if err == nil {
				t.Fatalf("accepted: %+v", command)
			}
			if !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
				t.Errorf("\n got %s\nwant %s", err, test.want)
			}
		})
	}
}
