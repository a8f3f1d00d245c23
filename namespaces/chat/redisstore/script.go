package redisstore

import (
	"embed"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var sources embed.FS

// What Redis is to know of a script. One that does not say that it may do without
// memory is refused as a whole when there is none: nothing is half-done.
const (
	grows   = "#!lua\n"
	shrinks = "#!lua flags=allow-oom\n" // or is of use all the same
	reads   = "#!lua flags=no-writes\n"
)

var (
	scriptJoin      = load(grows, "lib", "join")
	scriptLeave     = load(shrinks, "lib", "leave")
	scriptRename    = load(grows, "lib", "rename")
	scriptMembers   = load(reads, "lib", "members")
	scriptStatus    = load(grows, "lib", "status")
	scriptRemove    = load(shrinks, "lib", "remove")
	scriptConnected = load(reads, "lib", "connected")
	scriptPost      = load(grows, "lib", "post")
	scriptUnpost    = load(shrinks, "lib", "unpost")
	scriptHistory   = load(reads, "lib", "history")
	scriptEnter     = load(shrinks, "enter")
	scriptBeat      = load(shrinks, "lib", "beat")
	scriptAdopt     = load(shrinks, "lib", "adopt")
	scriptStrays    = load(reads, "lib", "strays")
	scriptRestore   = load(shrinks, "lib", "restore")
	scriptResign    = load(shrinks, "lib", "resign")
)

func load(head string, names ...string) *redis.Script {
	for _, name := range names {
		text, err := sources.ReadFile("lua/" + name + ".lua")
		if err != nil {
			panic(err) //nolint:forbidigo // it is built in
		}
		head += string(text)
	}
	return redis.NewScript(head)
}

// A reply is what a script returns. What is not as expected is zero: scripts are
// this package's own.
type reply []any

func asReply(v any) reply {
	list, _ := v.([]any)
	return list
}

func (r reply) number(i int) int64 {
	if i >= len(r) {
		return 0
	}
	n, _ := r[i].(int64)
	return n
}

func (r reply) flag(i int) bool { return r.number(i) == 1 }

func (r reply) text(i int) string {
	if i >= len(r) {
		return ""
	}
	s, _ := r[i].(string)
	return s
}

func (r reply) list(i int) reply {
	if i >= len(r) {
		return nil
	}
	return asReply(r[i])
}

func (r reply) texts(i int) []string {
	list := r.list(i)
	var texts []string
	for k := range list {
		texts = append(texts, list.text(k))
	}
	return texts
}
