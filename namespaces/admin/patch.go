package admin

import (
	"bytes"
	"encoding/json"
)

// patch returns what turns one object into another when the page merges it in:
// the other, with null for what is there no more. A list that has become shorter
// is filled up with null.
func patch(before, after json.RawMessage) json.RawMessage {
	from, errFrom := decode(before)
	to, errTo := decode(after)
	if errFrom != nil || errTo != nil {
		return after
	}
	text, err := json.Marshal(merge(from, to))
	if err != nil {
		return after
	}
	return text
}

func decode(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // which a float64 may not hold
	err = d.Decode(&v)
	return v, err
}

func merge(from, to any) any {
	switch to := to.(type) {
	case map[string]any:
		from, _ := from.(map[string]any)
		for name, old := range from {
			if v, ok := to[name]; ok {
				to[name] = merge(old, v)
			} else {
				to[name] = nil
			}
		}
		return to
	case []any:
		from, _ := from.([]any)
		for i, old := range from {
			if i < len(to) {
				to[i] = merge(old, to[i])
			} else {
				to = append(to, nil)
			}
		}
		return to
	default:
		return to
	}
}
