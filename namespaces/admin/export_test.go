package admin

// Order has the goroutine that tells admins do something, in its turn.
func (a *Admin) Order(f func()) { a.order(f) }

// QueueSize is how much may wait for it.
const QueueSize = queueSize
