package auth

import "context"

// Guard is the event middleware of Mount.
var Guard = guard

// StopTimer stops the clock of a socket, as a timer that is late.
func StopTimer(ctx context.Context) { sessionOf(ctx).timer.Stop() }
