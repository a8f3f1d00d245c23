package packet

import "math/bits"

// depthCeiling bounds Limits.MaxDepth: the scanner's stack is an array.
const depthCeiling = 1024

// text is what the scanner reads: a message, or what is being made into one.
type text interface{ string | []byte }

// scanValue checks the JSON value (RFC 8259) that begins at s[i], where i is not
// on white space, and returns where it ends. A reason tells that it is none, and
// the position is then that of the mistake. A value that is nested more than
// maxDepth deep is refused; a scalar has depth 0.
//
// It does not recurse, so that what a peer sends never decides how much stack
// is used, and it does not check UTF-8: the transport has.
func scanValue[S text](s S, i, maxDepth int) (end int, reason string) {
	if uint(i) >= uint(len(s)) {
		return i, reasonSyntax
	}
	switch s[i] {
	case '"':
		return scanString(s, i)
	case '{', '[':
		return scanContainer(s, i, maxDepth)
	default:
		return scanScalar(s, i)
	}
}

// scanContainer is scanValue for a value that begins with '{' or '['.
func scanContainer[S text](s S, i, maxDepth int) (end int, reason string) {
	// One bit for each open container, set for an object.
	var stack [depthCeiling / 64]uint64
	depth, object := 0, false

value:
	i = skipSpace(s, i)
	if i >= len(s) {
		return i, reasonSyntax
	}
	switch s[i] {
	case '{':
		if depth >= maxDepth || depth >= depthCeiling {
			return i, reasonDepth
		}
		stack[uint(depth)/64] |= 1 << (uint(depth) % 64)
		depth++
		object = true
		i = skipSpace(s, i+1)
		if i < len(s) && s[i] == '}' {
			goto closed
		}
		goto key
	case '[':
		if depth >= maxDepth || depth >= depthCeiling {
			return i, reasonDepth
		}
		stack[uint(depth)/64] &^= 1 << (uint(depth) % 64)
		depth++
		object = false
		i = skipSpace(s, i+1)
		if i < len(s) && s[i] == ']' {
			goto closed
		}
		goto value
	case '"':
		i, reason = scanString(s, i)
	default:
		i, reason = scanScalar(s, i)
	}
	if reason != "" {
		return i, reason
	}

next:
	i = skipSpace(s, i)
	if i >= len(s) {
		return i, reasonSyntax
	}
	switch c := s[i]; {
	case c == ',':
		i++
		if object {
			i = skipSpace(s, i)
			goto key
		}
		goto value
	case c == '}' && object, c == ']' && !object:
		goto closed
	}
	return i, reasonSyntax

key:
	if i >= len(s) || s[i] != '"' {
		return i, reasonSyntax
	}
	if i, reason = scanString(s, i); reason != "" {
		return i, reason
	}
	i = skipSpace(s, i)
	if i >= len(s) || s[i] != ':' {
		return i, reasonSyntax
	}
	i++
	goto value

closed:
	i++
	depth--
	if depth == 0 {
		return i, ""
	}
	object = stack[uint(depth-1)/64%uint(len(stack))]&(1<<(uint(depth-1)%64)) != 0
	goto next
}

// scanScalar is scanValue for a number, true, false or null.
func scanScalar[S text](s S, i int) (end int, reason string) {
	switch c := s[i]; {
	case c == '-' || isDigit(c):
		return scanNumber(s, i)
	case c == 't':
		return scanLiteral(s, i, "true")
	case c == 'f':
		return scanLiteral(s, i, "false")
	case c == 'n':
		return scanLiteral(s, i, "null")
	}
	return i, reasonSyntax
}

func scanLiteral[S text](s S, i int, literal string) (end int, reason string) {
	if len(s)-i < len(literal) {
		return i, reasonSyntax
	}
	for j := range len(literal) {
		if s[i+j] != literal[j] {
			return i, reasonSyntax
		}
	}
	return i + len(literal), ""
}

// scanNumber checks -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func scanNumber[S text](s S, i int) (end int, reason string) {
	if s[i] == '-' {
		i++
	}
	switch {
	case i >= len(s) || !isDigit(s[i]):
		return i, reasonSyntax
	case s[i] == '0':
		i++
	default:
		i = skipDigits(s, i)
	}
	if i < len(s) && s[i] == '.' {
		i++
		if i >= len(s) || !isDigit(s[i]) {
			return i, reasonSyntax
		}
		i = skipDigits(s, i)
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if i >= len(s) || !isDigit(s[i]) {
			return i, reasonSyntax
		}
		i = skipDigits(s, i)
	}
	return i, ""
}

// scanString checks a string, s[i] being its opening quote.
func scanString[S text](s S, i int) (end int, reason string) {
	i++
	for {
		i = skipPlain(s, i)
		if i >= len(s) {
			return i, reasonSyntax
		}
		switch s[i] {
		case '"':
			return i + 1, ""
		case '\\':
			i++
			if i >= len(s) {
				return i, reasonSyntax
			}
			switch s[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i++
			case 'u':
				if len(s)-i < 5 || !isHex(s[i+1]) || !isHex(s[i+2]) || !isHex(s[i+3]) || !isHex(s[i+4]) {
					return i, reasonSyntax
				}
				i += 5
			default:
				return i, reasonSyntax
			}
		default: // a control character
			return i, reasonSyntax
		}
	}
}

// skipPlain returns the position of the first byte from s[i] on that ends the
// plain part of a string: a quote, a backslash, or a control character.
func skipPlain[S text](s S, i int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	// Eight bytes at a time. Subtracting borrows into the bytes above a match
	// only, so the lowest bit that is set is right.
	for len(s)-i >= 8 {
		b := s[i : i+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		quote, slash := w^('"'*ones), w^('\\'*ones)
		m := ((quote - ones) &^ quote) | ((slash - ones) &^ slash) | ((w - 0x20*ones) &^ w)
		if m &= highs; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= 0x20 {
		i++
	}
	return i
}

func skipSpace[S text](s S, i int) int {
	for i < len(s) && s[i] <= ' ' && isSpace(s[i]) {
		i++
	}
	return i
}

func skipDigits[S text](s S, i int) int {
	for i < len(s) && isDigit(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
}

// skipValue returns the end of the JSON value that begins at s[i]. The text is
// known to be valid.
func skipValue(s string, i int) int {
	switch s[i] {
	case '"':
		return skipString(s, i)
	case '{', '[':
		for depth := 0; i < len(s); {
			switch s[i] {
			case '"':
				i = skipString(s, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return i
	}
	for i < len(s) && s[i] != ',' && s[i] != '}' && s[i] != ']' && !isSpace(s[i]) {
		i++
	}
	return i
}

// skipString returns the end of the string whose opening quote is s[i]. The text
// is known to be valid.
func skipString(s string, i int) int {
	i++
	for {
		i = skipPlain(s, i)
		if i >= len(s) {
			return i
		}
		if s[i] == '"' {
			return i + 1
		}
		i += 2
	}
}
