package bench

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// WriteHTML writes the report as a page.
func (r *Report) WriteHTML(w io.Writer) error {
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "<!doctype html><meta charset=utf-8><title>%s</title><pre>%s</pre>\n", html.EscapeString(r.Title()), html.EscapeString(text.String()))
	return err
}
