package jstest

import (
	"os/exec"
	"testing"
)

// The names of Chromium, and of browsers that are one; the last is where macOS keeps it.
var browsers = []string{
	"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
	"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
}

// Chromium is the path of a Chromium, for scripts that use browser.mjs. The test fails where there is none.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("the tests of the page need Chromium: install it (on Debian: apt-get install chromium) so that it is on PATH")
	return ""
}
