package adapter

import "fmt"

// A MissingError says that other instances did not answer, or could not be
// asked. What came with it, of those that did, is valid.
type MissingError struct {
	// Instances is how many are missing, as far as is known.
	Instances int
	// Err is why no more was waited for: that of a context, or of what carries
	// messages between instances.
	Err error
}

func (e *MissingError) Error() string {
	if e.Instances == 1 {
		return fmt.Sprintf("adapter: 1 other instance did not answer: %v", e.Err)
	}
	return fmt.Sprintf("adapter: %d other instances did not answer: %v", e.Instances, e.Err)
}

// Unwrap returns Err.
func (e *MissingError) Unwrap() error { return e.Err }
