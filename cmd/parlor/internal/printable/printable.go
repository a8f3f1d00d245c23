// Package printable makes texts of others fit for a terminal: users choose their names, which are neither to write
// further lines nor to move the cursor.
package printable

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is s with U+FFFD for each character that is not printed: control and format characters, line breaks among
// them, and spaces other than the ordinary one.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// JSON is a text in JSON with an escape for each character that is not printed: the value is the same. It is
// for what encoding/json has written, which leaves none but DEL and those beyond ASCII.
func JSON(text []byte) []byte {
	raw := func(r rune) bool { return r >= 0x7f && !unicode.IsPrint(r) }
	if !bytes.ContainsFunc(text, raw) {
		return text
	}
	escaped := make([]byte, 0, len(text)+64)
	for _, r := range string(text) {
		if !raw(r) {
			escaped = utf8.AppendRune(escaped, r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			escaped = fmt.Appendf(escaped, `\u%04x`, unit)
		}
	}
	return escaped
}
