package app

// ballastSize is about how much more garbage gathers than would without a ballast.
const ballastSize = 32 << 20

// ballast is memory that nobody uses. Nothing is written to it, so that the system
// has none to give for it. The runtime collects garbage when the heap has doubled,
// which for a server with a few hundred clients is after every 3 MB: dozens of
// times a second, each at a fixed cost. The runtime has no setting for the least
// heap; the ballast is part of the heap that doubles. GOMEMLIMIT counts it.
func ballast() []byte { return make([]byte, ballastSize) }
