package packet

// In the text of a binary packet an attachment is {"_placeholder":true,"num":N}.
// Any object with the member "_placeholder": true is one to the peers, so all
// have to be as an encoder writes them, and none may come from elsewhere: data
// that only looks like a placeholder is harmless in a text packet, but passed on
// next to an attachment it would be resolved, or make every receiver close its
// connection.

const (
	placeholderKey    = `"_placeholder"`
	placeholderPrefix = `{"_placeholder":true,"num":`
)

// placeholder is the place and the number of one in a text. The zero value is
// none, since no placeholder ends at 0.
type placeholder struct {
	start, end, num int
}

// parsePlaceholder reads the placeholder that begins at s[i]. The text is known
// to be valid JSON.
func parsePlaceholder(s string, i int) (end, num int, ok bool) {
	if len(s)-i > len(placeholderPrefix) && s[i:i+len(placeholderPrefix)] == placeholderPrefix {
		// As every encoder known writes it.
		if num, i, ok = parseNum(s, i+len(placeholderPrefix)); ok && i < len(s) && s[i] == '}' {
			return i + 1, num, true
		}
		return 0, 0, false
	}
	if i >= len(s) || s[i] != '{' {
		return 0, 0, false
	}
	// The same in another order, or with white space.
	var mark, number bool
	for i = skipSpace(s, i+1); ; i = skipSpace(s, i+1) {
		end, reason := scanString(s, i)
		if reason != "" {
			return 0, 0, false
		}
		key := s[i:end]
		i = skipSpace(s, skipSpace(s, end)+1) // past the colon
		switch {
		case key == placeholderKey && !mark:
			if i, reason = scanLiteral(s, i, "true"); reason != "" {
				return 0, 0, false
			}
			mark = true
		case key == `"num"` && !number:
			if num, i, ok = parseNum(s, i); !ok {
				return 0, 0, false
			}
			number = true
		default:
			return 0, 0, false
		}
		i = skipSpace(s, i)
		if i >= len(s) {
			return 0, 0, false
		}
		if s[i] == '}' {
			return i + 1, num, mark && number
		}
		if s[i] != ',' {
			return 0, 0, false
		}
	}
}

// parseNum reads an integer of at most nine digits, without sign, fraction or
// exponent. No limit on attachments is anywhere near that.
func parseNum(s string, i int) (num, end int, ok bool) {
	start := i
	for i < len(s) && isDigit(s[i]) && i-start < 9 {
		num = num*10 + int(s[i]-'0')
		i++
	}
	if i == start || i-start > 1 && s[start] == '0' {
		return 0, i, false
	}
	return num, i, true
}

// nextPlaceholder finds the first placeholder from s[i] on. If ok is false there
// is, before any other, an object that a peer would take for one and that is none;
// holder.start is then where in the text. The text is known to be valid JSON, or a
// list of valid values.
func nextPlaceholder(s string, i int) (holder placeholder, next int, ok bool) {
	open := -1 // the last { or [ seen
	for i < len(s) {
		switch s[i] {
		case '{', '[':
			open = i
		case '"':
			end := skipString(s, i)
			if !isPlaceholderKey(s[i:end]) {
				i = end
				continue
			}
			v := skipSpace(s, end)
			if v >= len(s) || s[v] != ':' {
				i = end // a value, not a key
				continue
			}
			v = skipSpace(s, v+1)
			if len(s)-v < 4 || s[v:v+4] != "true" {
				i = v
				continue
			}
			if open < 0 {
				return placeholder{start: i}, i, false
			}
			// Its object began where the last bracket was, or it is none.
			hend, num, ok := parsePlaceholder(s, open)
			if !ok || hend < end {
				return placeholder{start: i}, i, false
			}
			return placeholder{start: open, end: hend, num: num}, hend, true
		}
		i++
	}
	return placeholder{}, len(s), true
}

func isPlaceholderKey(s string) bool {
	// The shortest and the longest way to write it: every letter as \u005f.
	const letters = len(placeholderKey) - 2
	if len(s) < letters+2 || len(s) > 6*letters+2 {
		return false
	}
	return s == placeholderKey || len(s) > len(placeholderKey) && unquote(s) == placeholderKey[1:letters+1]
}

// countPlaceholders checks the placeholders of a text against the number of
// attachments and returns how many there are. If ok is false at is where the
// first bad one is.
func countPlaceholders(s string, attachments int) (count, at int, ok bool) {
	for i := 0; ; count++ {
		holder, next, ok := nextPlaceholder(s, i)
		if !ok {
			return count, holder.start, false
		}
		if holder.end == 0 {
			return count, 0, true
		}
		if holder.num >= attachments {
			return count, holder.start, false
		}
		i = next
	}
}
