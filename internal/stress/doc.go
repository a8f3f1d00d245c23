// Package stress holds what is tried on the whole: a rolling restart of instances
// under traffic. The tests count what was acknowledged and what has arrived; none of
// them is decided by time. They are small unless the environment variable STRESS is
// set, as make stress does.
package stress
