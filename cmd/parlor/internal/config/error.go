package config

import "fmt"

// Error is a setting that cannot be used. Its text is one line that names what is
// wrong, where it was given and what to do.
type Error struct {
	// Flag and Env name the setting, "--addr" and "PARLOR_ADDR"; both are empty
	// when the command line, or the file, as a whole is at fault, Env for a flag
	// that has none.
	Flag, Env string
	// Place is the file and the line that the value is from, "parlor.yaml:3";
	// empty for one that is not from a file.
	Place string
	// Problem says what is wrong with the value and how to mend it.
	Problem string
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Place != "" && e.Flag == "":
		return e.Place + ": " + e.Problem
	case e.Place != "":
		return fmt.Sprintf("%s: %s: %s", e.Place, e.Flag[len("--"):], e.Problem)
	case e.Flag == "":
		return e.Problem
	case e.Env == "":
		return e.Flag + ": " + e.Problem
	}
	return fmt.Sprintf("%s (%s): %s", e.Flag, e.Env, e.Problem)
}
