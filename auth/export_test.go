package auth

import "context"

// Guard is the event middleware of Mount.
var Guard = guard

// StopTimer stops the clock of a socket, as a timer that is late.
func StopTimer(ctx context.Context) { sessionOf(ctx).timer.Stop() }

// TimerStopped reports whether the clock of a socket stood still, and stops it.
func TimerStopped(ctx context.Context) bool { return !sessionOf(ctx).timer.Stop() }

// Tick is the clock of a socket that has gone off before it could be stopped.
func Tick(ctx context.Context) { sessionOf(ctx).tick() }
