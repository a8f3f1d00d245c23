package conformance

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// TestTranscripts plays testdata/*.txt, each on the transports that it asks for and each against a
// server of its own.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		tr, err := wire.ReadTranscript(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, transport := range tr.Transports {
			name := strings.TrimSuffix(filepath.Base(file), ".txt") + "/" + transport
			t.Run(name, func(t *testing.T) {
				t.Parallel() // some wait for a timeout of the server
				addr := startPeer(t, tr)
				if addr == "" {
					addr = startForTranscript(t, tr.Options)
				}
				if err := tr.Run(addr, transport); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// startPeer starts the other server that WIRE_PEER names. It returns "" when there is none.
func startPeer(t *testing.T, tr *wire.Transcript) (addr string) {
	t.Helper()
	command := strings.Fields(os.Getenv("WIRE_PEER"))
	if len(command) == 0 {
		return ""
	}
	if tr.Ours != "" {
		t.Skip("ours on purpose:", tr.Ours)
	}
	args := command[1:]
	for _, k := range slices.Sorted(maps.Keys(tr.Options)) {
		args = append(args, k+"="+tr.Options[k])
	}
	cmd := exec.CommandContext(t.Context(), command[0], args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // tells it to end
		if err := cmd.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("peer: %v", err)
		}
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("peer says no port: %v", err)
	}
	return fmt.Sprintf("127.0.0.1:%s", strings.TrimSpace(port))
}
