package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"
)

// maxFile is far more than all settings take: what is larger is another file.
const maxFile = 1 << 20

// fileFlag names the file.
const fileFlag = "config"

// A layer gives the flags of a command that has --config the values in that file,
// beneath those of the command line and the environment. The zero layer has none.
type layer struct {
	name    string // of the file; empty before it is read, and without one
	entries map[string]entry
	failed  *Error
}

// An entry is what the file has for a key.
type entry struct {
	text string // as the flag would be given it
	line int
	used bool // not overridden
}

// Validate implements [kong.Resolver].
func (*layer) Validate(*kong.Application) error { return nil }

// Resolve implements [kong.Resolver]. It reads the file when it is asked for the
// first flag of a command that has one.
func (l *layer) Resolve(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if l.failed != nil {
		return nil, l.failed
	}
	if l.name == "" {
		for _, f := range parent.Flags {
			if name, ok := ctx.FlagValue(f).(string); ok && f.Name == fileFlag && name != "" {
				l.name = name
				if l.failed = l.read(parent.Flags); l.failed != nil {
					return nil, l.failed
				}
			}
		}
	}
	e, ok := l.entries[flag.Name]
	if !ok || variable(flag) != "" {
		return nil, nil //nolint:nilnil // as the interface wants it
	}
	e.used = true
	l.entries[flag.Name] = e
	return e.text, nil
}

// place completes an error about a value that is from the file.
func (l *layer) place(err error) error {
	problem, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	if e := l.entries[strings.TrimPrefix(problem.Flag, "--")]; e.used {
		problem.Place = fmt.Sprintf("%s:%d", l.name, e.line)
	}
	return problem
}

// read reads the file: keys that are names of flags, each once, with a value or a
// list of them.
func (l *layer) read(flags []*kong.Flag) *Error {
	text, err := readFile(l.name)
	if err != nil {
		return newError(fileFlag, "%q cannot be read: %v", l.name, err)
	}
	var document, next yaml.Node
	decoder := yaml.NewDecoder(strings.NewReader(text))
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF): // nothing but comments
		return nil
	case err != nil:
		return &Error{Place: l.name, Problem: "is not YAML: " + oneLine(err)}
	}
	if err := decoder.Decode(&next); !errors.Is(err, io.EOF) {
		return &Error{Place: l.name, Problem: "has more than one document; leave out what follows the line with ---"}
	}
	return l.take(document.Content[0], flags)
}

func readFile(name string) (string, error) {
	file, err := os.Open(name) //nolint:gosec // the operator says which file
	if err != nil {
		return "", reason(err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return "", reason(err)
	case len(text) > maxFile:
		return "", fmt.Errorf("it is larger than %d bytes, which no configuration is", maxFile)
	}
	return string(text), nil
}

// reason is what went wrong with a file whose name is said already.
func reason(err error) error {
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		return failed.Err
	}
	return err
}

func (l *layer) take(root *yaml.Node, flags []*kong.Flag) *Error {
	at := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d", l.name, n.Line) }
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return &Error{Place: at(root), Problem: "is not a list of settings; write one a line, like addr: \":3000\""}
	}
	l.entries = map[string]entry{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		flag := find(flags, key.Value)
		if flag == nil {
			return &Error{Place: at(key), Problem: unknown(key.Value, flags)}
		}
		if before, ok := l.entries[key.Value]; ok {
			return &Error{Place: at(key), Flag: "--" + key.Value, Problem: fmt.Sprintf("is given in line %d already; leave one of them out", before.line)}
		}
		text, problem := textOf(value, flag)
		if problem != "" {
			return &Error{Place: at(key), Flag: "--" + key.Value, Problem: problem}
		}
		l.entries[key.Value] = entry{text: text, line: key.Line}
	}
	return nil
}

// find returns the flag that a key of the file stands for.
func find(flags []*kong.Flag, key string) *kong.Flag {
	for _, flag := range flags {
		if flag.Name == key && settable(flag) {
			return flag
		}
	}
	return nil
}

// settable reports whether a flag is a setting, which all but --help and --config
// are.
func settable(flag *kong.Flag) bool { return len(flag.Envs) > 0 && flag.Name != fileFlag }

// textOf returns a value as the flag would be given it, or what is wrong with it.
func textOf(value *yaml.Node, flag *kong.Flag) (text, problem string) {
	switch {
	case value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null":
		return "", "has no value; give one, or leave the line out"
	case flag.IsBool() && value.Value != "true" && value.Value != "false":
		return "", "is to be true or false"
	case value.Kind == yaml.ScalarNode:
		return value.Value, ""
	case value.Kind == yaml.SequenceNode && flag.IsSlice():
		list := make([]string, 0, len(value.Content))
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode || item.ShortTag() == "!!null" {
				return "", "has something in its list that is not a plain value"
			}
			list = append(list, kong.JoinEscaped([]string{item.Value}, ','))
		}
		return strings.Join(list, ","), ""
	case value.Kind == yaml.SequenceNode:
		return "", "is a list, and there can be one value only"
	}
	return "", "is not a plain value; settings do not nest, and aliases are not followed"
}

// unknown is what is wrong with a key that is no setting.
func unknown(key string, flags []*kong.Flag) string {
	meant, nearest := "", max(2, len(key)/3)+1
	plain := strings.ToLower(strings.ReplaceAll(strings.TrimLeft(key, "-"), "_", "-"))
	for _, flag := range flags {
		if d := distance(plain, flag.Name); d < nearest && settable(flag) {
			meant, nearest = flag.Name, d
		}
	}
	problem := fmt.Sprintf("unknown key %q", key)
	if meant != "" {
		problem += fmt.Sprintf(", did you mean %q?", meant)
	}
	return problem + " (parlor config sample lists what there is)"
}

// distance is how many letters are to be changed, added or left out to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// oneLine is an error's text without what would break an error's one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "yaml: ")), " ")
}
