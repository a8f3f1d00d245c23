package app

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// keyFile writes a file that only its owner can read.
func keyFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadKeyFile(t *testing.T) {
	for name, content := range map[string]string{"as it is": "secret", "a line": "secret\n", "a line of Windows": "secret\r\n"} {
		got, warning, err := readKeyFile("auth-secret-file", keyFile(t, content), true)
		if string(got) != "secret" || warning != "" || err != nil {
			t.Errorf("%s: %q, %q, %v", name, got, warning, err)
		}
	}
	if got, _, err := readKeyFile("auth-secret-file", keyFile(t, " se cret \n"), true); string(got) != " se cret " || err != nil {
		t.Errorf("blanks: %q, %v", got, err) // they may be part of it
	}
}

func TestReadKeyFileThatIsNone(t *testing.T) {
	dir := t.TempDir()
	for name, test := range map[string]struct{ path, want string }{
		"missing":     {filepath.Join(dir, "none"), "cannot be read: no such file or directory"},
		"a directory": {dir, "is a directory; name the file in it"},
		"empty":       {keyFile(t, ""), "is empty"},
		"a line end":  {keyFile(t, " \n"), "is empty"},
		"huge":        {keyFile(t, strings.Repeat("x", maxKeyFile+1)), "is larger than 65536 bytes, which no key is"},
		"endless":     {"/dev/zero", "is larger than 65536 bytes, which no key is"},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && name != "a directory" && name != "empty" {
				t.Skip("Windows has other words, and other devices")
			}
			content, warning, err := readKeyFile("auth-secret-file", test.path, true)
			if want := `--auth-secret-file (PARLOR_AUTH_SECRET_FILE): "` + test.path + `" ` + test.want; err == nil || err.Error() != want || content != nil || warning != "" {
				t.Errorf("\n got %v\nwant %s", err, want)
			}
		})
	}
}

func TestReadKeyFileOfEverybody(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no mode bits")
	}
	path := keyFile(t, "secret")
	for mode, warned := range map[os.FileMode]bool{0o600: false, 0o400: false, 0o640: false, 0o604: true, 0o644: true} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if got := warnings(parse(t, "--tls-cert=c", "--tls-key="+path, "--cors-origin=http://a", "--auth-secret-file=s")); (len(got) > 0) != warned {
			t.Errorf("%o, the key of the certificate: %q", mode, got)
		}
		content, warning, err := readKeyFile("auth-secret-file", path, true)
		if (warning != "") != warned || err != nil || !bytes.Equal(content, []byte("secret")) {
			t.Errorf("%o: %q, %v", mode, warning, err)
		}
		if _, warning, _ := readKeyFile("auth-public-key-file", path, false); warning != "" {
			t.Errorf("%o: %q for what is public", mode, warning)
		}
	}
}
