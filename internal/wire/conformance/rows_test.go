package conformance

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the module's directory.
const root = "../../.."

var (
	testName  = regexp.MustCompile(`(?m)^func Test([A-H]\d\d|Advisory\d\d)(?:[A-Z_]\w*)?\(`)
	entryName = regexp.MustCompile(`\b([A-H]\d\d|Advisory\d\d)\b`)
)

// TestRows: each case of testdata/cases.list has a test somewhere that carries its id, or an entry in
// docs/differences.md; and no test carries an id that is not in the list.
func TestRows(t *testing.T) {
	tests := map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || len(d.Name()) > 2 && d.Name()[0] == '.'):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range testName.FindAllSubmatch(source, -1) {
			tests[string(m[1])]++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs/differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	differs := map[string]bool{}
	for _, id := range entryName.FindAllString(string(page), -1) {
		differs[id] = true
	}
	rows := readRows(t)
	for id, what := range rows {
		if tests[id] == 0 && !differs[id] {
			t.Errorf("%s (%s) has neither a test nor an entry in docs/differences.md", id, what)
		}
	}
	for id := range tests {
		if _, ok := rows[id]; !ok && id[0] != 'G' { // G is the cluster's, which has lists of its own
			t.Errorf("a test carries the id %s, which is not in testdata/cases.list", id)
		}
	}
	for id := range differs {
		if _, ok := rows[id]; !ok {
			t.Errorf("docs/differences.md has the id %s, which is not in testdata/cases.list", id)
		}
	}
}

// readRows reads testdata/cases.list.
func readRows(t *testing.T) map[string]string {
	t.Helper()
	f, err := os.Open("testdata/cases.list")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows := map[string]string{}
	for in := bufio.NewScanner(f); in.Scan(); {
		id, what, ok := strings.Cut(in.Text(), " ")
		switch {
		case in.Text() == "", id == "#":
		case !ok, rows[id] != "":
			t.Errorf("the line %q says nothing, or says it twice", in.Text())
		default:
			rows[id] = what
		}
	}
	if len(rows) < 161 {
		t.Errorf("%d rows", len(rows))
	}
	return rows
}
