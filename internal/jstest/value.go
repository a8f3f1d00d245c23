package jstest

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// Bytes cross the pipe as {"$bin": base64}, in both directions.
const binKey = "$bin"

// wrap replaces bytes by their form on the pipe, and dates, in the containers that a test builds its values from.
func wrap(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]any{binKey: base64.StdEncoding.EncodeToString(v)}
	case time.Time:
		return map[string]any{"$date": v.UnixMilli()}
	case []any:
		return wrapAll(v)
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = wrap(e)
		}
		return m
	}
	return v
}

func wrapAll(vs []any) []any {
	w := make([]any, len(vs))
	for i, v := range vs {
		w[i] = wrap(v)
	}
	return w
}

// unwrap is wrap's inverse, for values that come from JSON.
func unwrap(v any) any {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			v[i] = unwrap(e)
		}
	case map[string]any:
		if s, ok := v[binKey].(string); ok && len(v) == 1 {
			if b, err := base64.StdEncoding.DecodeString(s); err == nil {
				return b
			}
		}
		for k, e := range v {
			v[k] = unwrap(e)
		}
	}
	return v
}

// JSON is a value's JSON text with object keys sorted and bytes as {"$bin": base64}, for comparing.
func JSON(v any) string {
	data, err := json.Marshal(wrap(v))
	if err != nil {
		return "unprintable: " + err.Error()
	}
	return string(data)
}
