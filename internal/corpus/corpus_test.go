package corpus

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
)

func TestParse(t *testing.T) {
	got, err := parse("[]byte(\"a\\n\\xff)\")\nstring(\"(b)\")\nbool(true)\nbyte('\\u00ff')\nbyte('\\'')\nint(-7)\nuint16(65535)\nuint64(18446744073709551615)\nfloat64(-0.5)\nfloat64(+Inf)")
	if err != nil {
		t.Fatal(err)
	}
	want := []any{[]byte("a\n\xff)"), "(b)", true, byte(255), byte('\''), -7, uint16(65535), uint64(math.MaxUint64), -0.5, math.Inf(1)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
	if got, err := parse("math.Float64frombits(0x7ff8000000000002)"); err != nil || !math.IsNaN(got[0].(float64)) {
		t.Errorf("NaN: %v, %v", got, err)
	}
	for _, bad := range []string{"", "complex64(1)", "string(b)", "uint16(65536)", "byte(1)", "int(x)"} {
		if got, err := parse(bad); err == nil {
			t.Errorf("%q: got %#v", bad, got)
		}
	}
	if _, err := parse("int(9223372036854775808)"); !errors.Is(err, strconv.ErrRange) {
		t.Errorf("a number of another machine: %v", err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.corpus")
	if got, err := Read(file); err != nil || got != nil {
		t.Errorf("without a file: %q, %v", got, err)
	}
	if err := os.WriteFile(file, []byte("int(1)\nint(2)\n\nint(3)\nint(4)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(file)
	if want := []string{"int(1)\nint(2)", "int(3)\nint(4)"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
}
