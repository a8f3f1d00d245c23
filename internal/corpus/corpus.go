// Package corpus keeps what fuzzing has found: inputs that reach code which no other
// does. They are in a file for each target, testdata/FuzzName.corpus, rather than in
// a file each, as there are hundreds; every run of the tests tries them all. make
// fuzz adds what it finds.
//
// An input is the values of a target's arguments, one a line, as the files in
// testdata/fuzz of the standard tools have them; an empty line is behind each input.
package corpus

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Add has the target try its inputs. One without a file has none. Inputs with a
// number that is too large for an int of this machine are left out.
func Add(f *testing.F) {
	f.Helper()
	file := File(".", f.Name())
	inputs, err := Read(file)
	if err != nil {
		f.Fatal(err)
	}
	for i, input := range inputs {
		values, err := parse(input)
		if errors.Is(err, strconv.ErrRange) {
			continue
		}
		if err != nil {
			f.Fatalf("%s: input %d: %v", file, i+1, err)
		}
		f.Add(values...)
	}
}

// File is where the inputs of a target are whose package is in a directory.
func File(dir, target string) string {
	return filepath.Join(dir, "testdata", target+".corpus")
}

// Read returns the inputs of a file, as they stand there. A file that does not exist
// has none.
func Read(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var inputs []string
	for input := range bytes.SplitSeq(text, []byte("\n\n")) {
		if input = bytes.TrimSpace(input); len(input) > 0 {
			inputs = append(inputs, string(input))
		}
	}
	return inputs, nil
}

func parse(input string) ([]any, error) {
	var values []any
	for line := range strings.SplitSeq(input, "\n") {
		v, err := value(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line, err)
		}
		values = append(values, v)
	}
	return values, nil
}

// value reads a conversion of a literal: the types are those that targets here have.
func value(line string) (any, error) {
	kind, literal, _ := strings.Cut(strings.TrimSuffix(line, ")"), "(")
	switch kind {
	case "[]byte":
		s, err := strconv.Unquote(literal)
		return []byte(s), err
	case "string":
		return strconv.Unquote(literal)
	case "bool":
		return strconv.ParseBool(literal)
	case "byte":
		s, err := strconv.Unquote(literal) // '\u00ff' is 255
		if err != nil {
			return nil, err
		}
		return byte([]rune(s)[0]), nil
	case "int":
		n, err := strconv.ParseInt(literal, 10, strconv.IntSize)
		return int(n), err
	case "uint16":
		n, err := strconv.ParseUint(literal, 10, 16)
		return uint16(n), err
	case "uint64":
		return strconv.ParseUint(literal, 10, 64)
	case "float64":
		return strconv.ParseFloat(literal, 64)
	case "math.Float64frombits":
		n, err := strconv.ParseUint(literal, 0, 64)
		return math.Float64frombits(n), err
	default:
		return nil, errors.New("a type that no target has; value knows how to read those that are there")
	}
}
