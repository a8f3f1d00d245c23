package e2e_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/jstest"
)

// The binary as it is built, its page in a browser: the app comes up under the policy of the page, whatever the path
// of the Socket.IO endpoint.
func TestPage(t *testing.T) {
	t.Parallel()
	chromium, binary := jstest.Chromium(t), buildApp(t)
	for _, path := range []string{"/socket.io/", "/live/v1/"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			url := startApp(t, binary, "--path="+path).URL
			var steps []string
			for _, line := range jstest.Run(t, "page.mjs", chromium, url, t.TempDir()) {
				steps = append(steps, strings.TrimSpace(string(line)))
			}
			want(t, "the steps", strings.Join(steps, "\n"), `{"step":"shown","path":"`+path+`"}`)
		})
	}
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
}
