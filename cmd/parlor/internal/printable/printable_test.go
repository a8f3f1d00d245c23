package printable

import "testing"

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
