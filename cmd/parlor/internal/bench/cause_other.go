//go:build !unix

package bench

func systemCause(error) (cause, bool) { return "", false }
