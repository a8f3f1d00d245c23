package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page has a median with its range in each cell, a dash where there is no figure,
// and says who is missing; the chart is well-formed.
func TestPage(t *testing.T) {
	folder := t.TempDir()
	c := comparison{
		options: options{out: filepath.Join(folder, "compare.md"), picture: filepath.Join(folder, "compare.svg")},
		version: "parlor v1", rounds: 3, busy: []float64{0.4, 0.5, 0.9},
		peers:   []peer{{name: "Parlor"}, {name: nodeName, version: "4.8.4 on Node 24"}, {name: "another"}},
		missing: []string{"a third: it is not installed"},
		table:   table{"burst": {"Parlor": {0.5, 0.4, 0.9}, nodeName: {10, 9}}},
	}
	if err := c.write(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| burst, µs CPU a delivery | **0.50** (0.40 to 0.90) ×0.05 | **9.50** (9.00 to 10.0) | – |\n",
		"the median of 3 rounds", "busy to 50 %", "Missing: a third: it is not installed.", "Who: parlor v1; Node's socket.io 4.8.4 on Node 24.",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "paced") {
		t.Error("there is a row without figures")
	}
	picture, err := os.Open(c.picture)
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	d := xml.NewDecoder(picture)
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
