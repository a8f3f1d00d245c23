package bench

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// A template is the text of an event's arguments with fields in it, {{room}} say.
type template struct{ parts []part }

// A part is a text, and the field behind it.
type part struct {
	text  string
	field string // empty for none
}

// templateFields are what a template may have: the client's room, its number, the
// number of the event at that client, and the data by which receivers know the
// event. Where they are text they stand within quotes: "{{room}}".
var templateFields = []string{"room", "client", "seq", "data"}

// values are those of the fields.
type values struct {
	room   string
	client int
	seq    int
	data   []byte
}

// parseTemplate reads a template of the option that is named. It is to be JSON
// once the fields are filled in: arguments, with commas between them.
func parseTemplate(option, text string) (*template, error) {
	t := &template{}
	rest := text
	for {
		before, after, found := strings.Cut(rest, "{{")
		if !found {
			t.parts = append(t.parts, part{text: rest})
			break
		}
		name, behind, closed := strings.Cut(after, "}}")
		if name = strings.TrimSpace(name); !closed || !slices.Contains(templateFields, name) {
			return nil, optionError(option, "{{%s is no field; there are {{%s}}", strings.TrimSpace(after), strings.Join(templateFields, "}}, {{"))
		}
		t.parts = append(t.parts, part{before, name})
		rest = behind
	}
	sample := t.append([]byte("["), values{room: "r", data: []byte("d")})
	if sample = append(sample, ']'); !json.Valid(sample) {
		return nil, optionError(option, "is not JSON once its fields are filled in, as in %s; a text has quotes, as in \"{{room}}\"", sample[1:len(sample)-1])
	}
	return t, nil
}

// has reports whether a field is in the template.
func (t *template) has(field string) bool {
	for _, p := range t.parts {
		if p.field == field {
			return true
		}
	}
	return false
}

// append writes the arguments to b.
func (t *template) append(b []byte, v values) []byte {
	for _, p := range t.parts {
		b = append(b, p.text...)
		switch p.field {
		case "room":
			b = append(b, v.room...)
		case "client":
			b = strconv.AppendInt(b, int64(v.client), 10)
		case "seq":
			b = strconv.AppendInt(b, int64(v.seq), 10)
		case "data":
			b = append(b, v.data...)
		}
	}
	return b
}
