package config

import (
	"net"
	"time"
)

// The flags that errors about what they name are found out later for.
const (
	OpsAddrFlag      = "ops-addr"
	OpsTokenFileFlag = "ops-token-file" //nolint:gosec // the name of a flag
)

// Ops says what operators see of the server.
type Ops struct {
	OpsAddr         string        `help:"Address with /metrics, for Prometheus, and /debug/pprof/, beside /healthz and /readyz, which --addr has as well. Without one there is neither." placeholder:"ADDR"`
	OpsTokenFile    string        `help:"File with the token that /metrics and /debug/pprof/ are for: Authorization: Bearer. Without one /metrics is for everybody who reaches the address, and /debug/pprof/ is there only if nobody else's machine does; the pages of others in a browser on this one are refused." placeholder:"FILE"`
	DrainWindow     time.Duration `default:"0s" help:"Time over which clients are moved away at the end, one after another and each when its handlers have ended, so that not all of them come back to the other instances at once. New ones are refused meanwhile with 503, which a load balancer has to send elsewhere. Service managers have to wait for so much longer than 35s before they kill: handlers get five seconds after it."`
	ReadyNeedsRedis bool          `help:"Have /readyz answer 503 while Redis is away. All instances do so at once then, and a load balancer has none left."`
}

// OpsLoopback reports whether only this machine reaches the address.
func (o *Ops) OpsLoopback() bool {
	host, _, err := net.SplitHostPort(o.OpsAddr)
	return err == nil && loopback(host)
}

func (o *Ops) check(given map[string]bool, redis *Redis) *Error {
	for _, setting := range []named{{OpsAddrFlag, o.OpsAddr}, {OpsTokenFileFlag, o.OpsTokenFile}} {
		if given[setting.name] && setting.value == "" {
			return newError(setting.name, "is given, but empty; give a value, or leave it out")
		}
	}
	switch {
	case o.OpsAddr == "" && o.OpsTokenFile != "":
		return newError(OpsTokenFileFlag, "has no effect without an address; give --%s (%s) too", OpsAddrFlag, envName(OpsAddrFlag))
	case o.ReadyNeedsRedis && !redis.HasRedis():
		return newError("ready-needs-redis", "has no effect without a Redis; give --%s (%s) too", redisFlag, envName(redisFlag))
	case o.OpsAddr != "":
		return checkAddr(OpsAddrFlag, o.OpsAddr)
	}
	return nil
}
