package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The names of all fields that are logged are in the table of operations.md, and
// those alone.
func TestLogFields(t *testing.T) {
	logged := map[string]string{} // name → where
	for _, root := range []string{"../server", "../adapter", "../auth", "../namespaces", "../cmd"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || entry.Name() == "adaptertest" || entry.Name() == "storetest"):
				return fs.SkipDir
			case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
				fields(t, path, logged)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(logged) < 30 {
		t.Errorf("only %d fields found", len(logged))
	}
	_, rest, _ := strings.Cut(pages(t)["operations.md"], "## The log")
	section, _, _ := strings.Cut(rest, "\n## ")
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (.*?) \|`).FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[1], -1) {
			listed[name[1]] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(logged)) {
		if !listed[name] {
			t.Errorf("%s: the field %q is not in the table of operations.md", logged[name], name)
		}
	}
	for name := range listed {
		if logged[name] == "" && !slices.Contains([]string{"time", "level", "msg"}, name) {
			t.Errorf("operations.md has a field %q that nothing logs", name)
		}
	}
}

var (
	logMethod = regexp.MustCompile(`^((Debug|Info|Warn|Error)(Context)?|With|AddAttrs|Any|Duration|Int|String)$`)
	fieldName = regexp.MustCompile(`^[a-z][a-z_]*$`)
)

// fields adds the keys of what a file logs: of calls of a logger with an even
// number of arguments behind the message, and of lists that are passed on to one.
func fields(t *testing.T, path string, logged map[string]string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	add := func(pairs []ast.Expr) {
		for i := 0; i+1 < len(pairs); i += 2 {
			if name := text(pairs[i]); fieldName.MatchString(name) {
				logged[name] = files.Position(pairs[i].Pos()).String()
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			called, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || !logMethod.MatchString(called.Sel.Name) || len(n.Args) < 2 {
				break
			}
			switch called.Sel.Name {
			case "With":
				add(n.Args)
			case "Any", "Duration", "Int", "String": // of slog
				if pkg, ok := called.X.(*ast.Ident); ok && pkg.Name == "slog" {
					add(n.Args)
				}
			default:
				args := n.Args[1:]
				if strings.HasSuffix(called.Sel.Name, "Context") {
					args = n.Args[2:]
				} else if text(n.Args[0]) == "" { // of http, say
					break
				}
				add(args)
			}
		case *ast.CompositeLit:
			if list, ok := n.Type.(*ast.ArrayType); ok && len(n.Elts) > 1 && len(n.Elts)%2 == 0 {
				if element, ok := list.Elt.(*ast.Ident); ok && element.Name == "any" {
					add(n.Elts)
				}
			}
		}
		return true
	})
}

// text is the value of a string in the source, and empty for anything else.
func text(x ast.Expr) string {
	literal, ok := x.(*ast.BasicLit)
	if !ok {
		return ""
	}
	value, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return value
}
