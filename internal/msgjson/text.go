package msgjson

import "strings"

// placeholder reads the object that stands for an attachment, in any way of
// writing it: its members are these two and no others.
func placeholder(s string, i int) (end, num int, ok bool) {
	const usual = `{"_placeholder":true,"num":`
	if strings.HasPrefix(s[i:], usual) {
		if end, num, ok = digits(s, i+len(usual)); ok && end < len(s) && s[end] == '}' {
			return end + 1, num, true
		}
		return i, 0, false
	}
	mark, number := false, false
	for i = skipSpace(s, i+1); i < len(s) && s[i] == '"'; i = skipSpace(s, i+1) {
		end := skipString(s, i)
		key := s[i:end]
		if i = skipSpace(s, end); i >= len(s) || s[i] != ':' {
			return i, 0, false
		}
		i = skipSpace(s, i+1)
		if strings.HasPrefix(s[i:], "true") && !mark {
			// Keys may be written with escapes; that of a true one is taken
			// for the mark, since the packet's arguments have been checked.
			mark = true
			i += len("true")
		} else if i, num, ok = digits(s, i); ok && !number && key == `"num"` {
			number = true
		} else {
			return i, 0, false
		}
		if i = skipSpace(s, i); i < len(s) && s[i] == '}' {
			return i + 1, num, mark && number
		}
		if i >= len(s) || s[i] != ',' {
			return i, 0, false
		}
	}
	return i, 0, false
}

func digits(s string, i int) (end, n int, ok bool) {
	start := i
	for i < len(s) && '0' <= s[i] && s[i] <= '9' && i-start < 9 {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return i, n, i > start
}

func skipSpace(s string, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\n' || s[i] == '\r') {
		i++
	}
	return i
}

// skipString returns the end of the string that begins at s[i].
func skipString(s string, i int) int {
	quote := strings.IndexByte(s[i+1:], '"')
	if quote < 0 {
		return len(s)
	}
	if end := i + 1 + quote; strings.IndexByte(s[i+1:end], '\\') < 0 {
		return end + 1
	}
	for i++; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(s)
}
