package app

import (
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// --chat-history is how many messages a room keeps; with 0 it keeps none.
func TestChatHistory(t *testing.T) {
	for flag, want := range map[string]string{
		"--chat-history=2": `431[{"ok":true,"room":"r","messages":[{*"text":"b"*},{*"text":"c"*}],"more":false}]`,
		"--chat-history=0": `431[{"ok":true,"room":"r","messages":[],"more":false}]`,
	} {
		t.Run(flag, func(t *testing.T) {
			addr, stop := start(t, flag)
			s := open(t, addr, wire.Websocket)
			connects(t, s, "40", `40{"sid":"*"}`, `42["connected",*`)
			connects(t, s, `420["join","r"]`, `430[{"ok":true,*"history":[]*}]`)
			for _, text := range []string{"a", "b", "c"} {
				connects(t, s, `42["message",{"room":"r","text":"`+text+`"}]`, `42["message",{*`)
			}
			connects(t, s, `421["history",{"room":"r"}]`, want)
			hangUp(s)
			stop()
		})
	}
}
