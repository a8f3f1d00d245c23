// Command fold adds to a fuzz target's corpus what fuzzing has found on this machine.
//
//	go run ./internal/corpus/fold ./server/packet FuzzDecode
package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed3686fee0/parlor/internal/corpus"
)

// maxInput is the longest input that is kept: what it reaches a shorter one does too.
const maxInput = 16 << 10

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: fold DIRECTORY TARGET")
		os.Exit(2)
	}
	if err := fold(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "fold:", err)
		os.Exit(1)
	}
}

func fold(dir, target string) error {
	cache, err := output("go", "env", "GOCACHE")
	if err != nil {
		return err
	}
	path, err := output("go", "list", dir)
	if err != nil {
		return err
	}
	file := corpus.File(dir, target)
	inputs, err := corpus.Read(file)
	if err != nil {
		return err
	}
	before := len(inputs)
	found, err := filepath.Glob(filepath.Join(cache, "fuzz", path, target, "*"))
	if err != nil {
		return err
	}
	for _, f := range found {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		_, input, ok := strings.Cut(string(text), "\n") // the first line is the format's version
		if input = strings.TrimSpace(input); ok && len(input) <= maxInput {
			inputs = append(inputs, input)
		}
	}
	slices.SortFunc(inputs, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	inputs = slices.Compact(inputs)
	if len(inputs) == before {
		return nil
	}
	fmt.Printf("%s: %d inputs, %d of them new\n", file, len(inputs), len(inputs)-before)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(strings.Join(inputs, "\n\n")+"\n"), 0o644)
}

func output(name string, args ...string) (string, error) {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}
