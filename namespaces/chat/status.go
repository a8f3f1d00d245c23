package chat

// A Status is how present a user is, or one of its sockets. A user is as present
// as the most present of its sockets. The zero value is what a socket is that has
// said nothing: it is there.
type Status uint8

// The statuses, the most present first.
const (
	Online Status = iota
	Away
	Offline // connected, but not to be seen so
)

// String returns the status as clients say it.
func (s Status) String() string {
	switch s {
	case Online:
		return "online"
	case Away:
		return "away"
	case Offline:
		return "offline"
	}
	return "unknown"
}

// ParseStatus returns the status of a name, and whether it is one.
func ParseStatus(name string) (Status, bool) {
	for _, s := range [...]Status{Online, Away, Offline} {
		if s.String() == name {
			return s, true
		}
	}
	return Online, false
}
