package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Where the pages write io.X, the X is a method of Server.
var variables = map[string]string{"io": "Server", "ns": "Namespace", "s": "Socket", "args": "Args", "call": "Call"}

var (
	inline    = regexp.MustCompile("`([^`\n]+)`")
	qualified = regexp.MustCompile(`(^|[^.\w])(\w+)\.([A-Z]\w*)`)
	lines     = regexp.MustCompile(`(?m)^(?:\$ )?parlor (?:.*\\\n)*.*$`)
	option    = regexp.MustCompile(`(^|[^.\w])(With[A-Z]\w*)`)
	flag      = regexp.MustCompile(`(^|\s)(--(?:\[no-\])?)([a-z][a-z-]*)`)
)

// The Go names in the text of the pages, which no compiler sees, are there. Of a table that is about
// its last column: the others may be about Node's names, or other packages'.
func TestNames(t *testing.T) {
	names := exported(t)
	looked := 0
	for name, page := range pages(t) {
		for _, code := range codes(page) {
			for _, m := range option.FindAllStringSubmatch(code, -1) {
				looked++
				if !names[m[2]] {
					t.Errorf("%s: `%s`: there is no %s", name, code, m[2])
				}
			}
			for _, m := range qualified.FindAllStringSubmatch(code, -1) {
				of := m[2]
				if variable, ok := variables[of]; ok {
					of = variable
				}
				if !names[of] {
					continue // of another module
				}
				looked++
				if !names[of+"."+m[3]] {
					t.Errorf("%s: `%s`: %s has no %s", name, code, of, m[3])
				}
			}
		}
	}
	if looked < 100 {
		t.Errorf("only %d names found", looked)
	}
}

// So are the flags, also those of lines that no other test runs.
func TestFlags(t *testing.T) {
	parlor := filepath.Join(t.TempDir(), "parlor")
	output(t, "go", "build", "-o", parlor, "../cmd/parlor")
	known := map[string]bool{}
	for _, command := range []string{
		"serve", "bench", "token mint", "token check", "config sample", "config check", "config show",
		"admin sockets", "admin rooms", "admin kick", "admin broadcast", "admin stats",
	} {
		for _, m := range flag.FindAllStringSubmatch(output(t, parlor, append(strings.Fields(command), "--help")...), -1) {
			known[m[3]] = true
			if m[2] != "--" {
				known["no-"+m[3]] = true
			}
		}
	}
	for name, page := range pages(t) {
		for _, code := range append(codes(page), lines.FindAllString(page, -1)...) {
			for _, m := range flag.FindAllStringSubmatch(code, -1) {
				if !known[m[3]] {
					t.Errorf("%s: `%s`: parlor has no flag --%s", name, code, m[3])
				}
			}
		}
	}
}

// codes returns the code in the text of a page.
func codes(page string) (all []string) {
	page = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(page, "")
	for line := range strings.Lines(page) {
		if cells := strings.Split(strings.TrimSpace(line), " |"); len(cells) > 2 {
			line = cells[len(cells)-2]
		}
		for _, m := range inline.FindAllStringSubmatch(line, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

// exported has the exported names of the packages that are imported by others: server, server.New, Server,
// Server.Of, and New.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, path := range imports {
		dir, ours := strings.CutPrefix(path, "github.com/seed3686fee0/parlor/")
		if !ours {
			continue
		}
		add(t, names, dir)
	}
	add(t, names, "server/packet") // whose Args server's has
	return names
}

func add(t *testing.T, names map[string]bool, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(dir), "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("find the files of %s: %v, %v", dir, files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		names[syntax.Name.Name] = true
		put := func(of string, idents ...*ast.Ident) {
			for _, id := range idents {
				names[of+"."+id.Name] = true
			}
		}
		for _, decl := range syntax.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				if decl.Recv == nil {
					names[decl.Name.Name] = true
					put(syntax.Name.Name, decl.Name)
				} else {
					put(receiver(decl.Recv.List[0].Type), decl.Name)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					switch spec := spec.(type) {
					case *ast.ValueSpec:
						put(syntax.Name.Name, spec.Names...)
					case *ast.TypeSpec:
						names[spec.Name.Name] = true
						put(syntax.Name.Name, spec.Name)
						ast.Inspect(spec.Type, func(n ast.Node) bool {
							if field, ok := n.(*ast.Field); ok {
								put(spec.Name.Name, field.Names...)
							}
							return true
						})
					}
				}
			}
		}
	}
}

// receiver is the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
