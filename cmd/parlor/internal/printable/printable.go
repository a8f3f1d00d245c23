// Package printable makes texts of others fit for a terminal: users choose their names, which are neither to write
// further lines nor to move the cursor.
package printable

import (
	"strings"
	"unicode"
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
