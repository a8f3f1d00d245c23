package printable

import (
	"encoding/json"
	"testing"
)

func TestText(t *testing.T) {
	for said, want := range map[string]string{
		"":                     "",
		"Ada Lovelace":         "Ada Lovelace",
		"Žofie 🦊":              "Žofie 🦊",
		"a\nb\r\tc":            "a\ufffdb\ufffd\ufffdc",
		"\x1b[2Jgone":          "\ufffd[2Jgone",
		"\u202eeda":            "\ufffdeda", // right to left from here on
		"a\u200bb\u00a0c\xffd": "a\ufffdb\ufffdc\ufffdd",
	} {
		if got := Text(said); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	for said, want := range map[string]string{
		"":                 `""`,
		"Žofie 🦊\n":        `"Žofie 🦊\n"`,
		"\x1b[2J\u009b2J":  `"\u001b[2J\u009b2J"`,
		"\u202eeda\x7f":    `"\u202eeda\u007f"`,
		"\U000e0001\u00a0": `"\udb40\udc01\u00a0"`,
	} {
		text, err := json.Marshal(said)
		if err != nil {
			t.Fatal(err)
		}
		got := JSON(text)
		var again string
		if err := json.Unmarshal(got, &again); err != nil || string(got) != want || again != said {
			t.Errorf("%q: got %s, want %s; it is read as %q, %v", said, got, want, again, err)
		}
	}
	if got := string(JSON([]byte("{\n\t\"a\": 1\n}"))); got != "{\n\t\"a\": 1\n}" {
		t.Errorf("got %q", got)
	}
}
