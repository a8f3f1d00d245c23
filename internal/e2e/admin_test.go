package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed3686fee0/parlor/internal/redistest"
)

// adminTests are the stories of administrators with npm's page, which the program serves. Each has a server and a
// browser of its own, and a script, admin_NAME.mjs.
var adminTests = []struct {
	name string
	run  func(t *testing.T, binary, script string)
}{
	{"story", adminStory},
	{"restart", adminRestart},
	{"ways", adminWays},
}

func TestAdminUI(t *testing.T) {
	t.Parallel()
	binary := buildApp(t)
	for _, test := range adminTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, binary, "admin_"+test.name+".mjs")
		})
	}
}

// Who administers the servers of these tests.
const (
	adminUser     = "root"
	adminPassword = "correct horse battery staple"
)

// startAdmin starts the program with the Admin UI, for one who has a password.
func startAdmin(t *testing.T, binary string, args ...string) *app {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(adminPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hash")
	if err := os.WriteFile(file, hash, 0o600); err != nil {
		t.Fatal(err)
	}
	return startApp(t, binary, append([]string{"--admin-ui", "--admin-user=" + adminUser, "--admin-password-hash-file=" + file}, args...)...)
}

func adminStory(t *testing.T, binary, script string) {
	startAdmin(t, binary).script(t, script, nil, adminLogin())
}

func adminRestart(t *testing.T, binary, script string) {
	a := startAdmin(t, binary)
	a.script(t, script, a.restarts(t), adminLogin())
}

func adminWays(t *testing.T, binary, script string) {
	const path = "/live/v1/"
	secret := newSecret(t)
	key := "--auth-secret-file=" + secretFile(t, secret)
	elsewhere := startAdmin(t, binary, "--path="+path, "--admin-namespace=/ops", "--admin-read-only")
	numbers := startApp(t, binary, "--admin-ui", "--admin-mode=production", key)
	open := startApp(t, binary, "--admin-ui", "--admin-insecure")
	msgpack := startAdmin(t, binary, "--parser=msgpack")
	token := func(roles ...string) string {
		args := []string{"token", key}
		for _, role := range roles {
			args = append(args, "--role="+role)
		}
		token, err := numbers.command(args...)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	given := adminLogin()
	given["elsewhere"] = map[string]any{"url": elsewhere.URL, "path": path}
	given["numbers"] = map[string]any{"url": numbers.URL, "token": token("admin", "editor"), "other": token("editor")}
	given["open"] = map[string]any{"url": open.URL}
	given["msgpack"] = map[string]any{"url": msgpack.URL}
	elsewhere.script(t, script, nil, given)
}

// TestAdminPictures takes the pictures of the docs, where picturesEnv says to which folder.
func TestAdminPictures(t *testing.T) {
	if os.Getenv(picturesEnv) == "" {
		t.Skipf("%s is not set", picturesEnv)
	}
	peer, err := filepath.Abs(filepath.Join("..", "..", "namespaces", "admin", "testdata", "node", "peer.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	binary := buildApp(t)
	redis := "redis://" + redistest.Start(t).Addr
	one, two := startAdmin(t, binary, "--redis="+redis), startAdmin(t, binary, "--redis="+redis)
	given := adminLogin()
	given["other"], given["redis"], given["peer"] = two.URL, redis, peer
	one.script(t, "admin_pictures.mjs", nil, given)
}

func adminLogin() map[string]any {
	return map[string]any{"user": adminUser, "password": adminPassword}
}
