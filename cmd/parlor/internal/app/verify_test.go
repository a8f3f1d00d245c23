package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad, secret := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml"), filepath.Join(dir, "secret")
	for name, text := range map[string]string{good: "chat-rate: 5\nauth-secret-file: " + secret, bad: "chatrate: 5", secret: newSecret()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := map[string]struct {
		args           []string
		code           int
		stdout, stderr string // in them
	}{
		"sample":            {args: []string{"config", "sample"}, stdout: "\n#chat-rate: 10\n"},
		"show":              {args: []string{"config", "show", "--config", good}, stdout: "# " + good + ":1\n"},
		"check":             {args: []string{"config", "check", "--config", good}, stdout: "warning: connections are not encrypted"},
		"check, unknown":    {args: []string{"config", "check", "--config", bad}, code: 2, stderr: bad + `:1: unknown key "chatrate", did you mean "chat-rate"?`},
		"check, no key":     {args: []string{"config", "check", "--auth-secret-file", secret + "x"}, code: 2, stderr: "cannot be read"},
		"check, no TLS":     {args: []string{"config", "check", "--tls-key", secret, "--tls-cert", secret}, code: 1, stderr: "cannot use the certificate"},
		"serve, unknown":    {args: []string{"--config", bad}, code: 2, stderr: `did you mean "chat-rate"?`},
		"config, by itself": {args: []string{"config"}, code: 2, stderr: "parlor config --help"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			cmd := command(t, nil, test.args...)
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if code := exitCode(t, cmd.Run()); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(stdout.String(), test.stdout) || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("stdout: %s\nstderr: %s", &stdout, &stderr)
			}
		})
	}
}
