package chat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// server is the server's part of a message with the content "hi" from ann in r.
const servers = `"id":"*","room":"r","from":"ann","user":"ANN","content":"hi","text":"hi","timestamp":1700000000000}`

func TestMessageIsRelayedAsItIs(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	var many strings.Builder
	for i := range 100 {
		fmt.Fprintf(&many, `"field %d":[%d,{"a":null}],`, i, i)
	}
	for name, c := range map[string]struct{ sent, want string }{
		"nothing else": {`{"room":"r","content":"hi"}`, `{` + servers},
		"other fields": {`{"a":1,"room":"r","b":[true,{"room":"x","id":1}],"content":"hi","c":{}}`, `{"a":1,"b":[true,{"room":"x","id":1}],"c":{},` + servers},
		"byte by byte (C26)": {
			`{"content":"hi","a":1e999,"a":2,"__proto__":{"x":1},"\ud800":"\udc00","\u0000":"\u0000","constructor":1.0,"\u0061":-0,"":"\/"}`,
			`{"a":1e999,"a":2,"__proto__":{"x":1},"\ud800":"\udc00","\u0000":"\u0000","constructor":1.0,"\u0061":-0,"":"\/",` + servers,
		},
		"white space": {"{ \"a\" :\t1 ,\n\"content\" : \"hi\" , \"b\":[ 1 , 2 ] }", `{"a":1,"b":[ 1 , 2 ],` + servers},
		"100 fields":  {`{` + many.String() + `"content":"hi"}`, `{` + many.String() + servers},
		"fields of the server": {
			`{"id":"x","id":"y","room":"q","room":"r","from":"bob","userId":"bob","user":"BOB","timestamp":0,"userCount":9,"status":"x","content":"no","content":"hi","text":"other"}`,
			`{` + servers,
		},
		"with escapes": {
			`{"\u0069d":"x","i\u0064":"y","\u0066rom":"bob","u\u0073er":"BOB","times\u0074amp":0,"conten\u0074":"hi","\u0072oom":"r","\u0074ext":"no","user\u0049d":"bob"}`,
			`{` + servers,
		},
		"in another case":                  {`{"ID":1,"From":"bob","USER":"B","roomid":2,"content":"hi"}`, `{"ID":1,"From":"bob","USER":"B","roomid":2,` + servers},
		"roomId":                           {`{"roomId":"r","text":"hi","clientMsgId":"m1"}`, `{"roomId":"r","clientMsgId":"m1",` + servers},
		"HTML":                             {`{"content":"<script>alert('&')</script>\u2028"}`, `{"id":"*","room":"r","from":"ann","user":"ANN","content":"<script>alert('&')</script>\u2028","text":"<script>alert('&')</script>\u2028",*}`},
		"content kept":                     {`{"content":"\ud800\u0041\/\n"}`, `{*"content":"\ud800\u0041\/\n","text":"\ud800\u0041\/\n",*}`},
		"empty content":                    {`{"content":""}`, `{*"content":"","text":"",*}`},
		"longest content":                  {`{"content":"` + rep("é", 4096) + `"}`, `{*"content":"` + rep("é", 4096) + `",*}`},
		"escapes counted as what they are": {`{"content":"` + rep(`\n`, 8192) + `"}`, `{*"content":"` + rep(`\n`, 8192) + `",*}`},
	} {
		t.Run(name, func(t *testing.T) {
			match(t, "ack", ann.call("message", c.sent), `{"ok":true,*`)
			got := bob.want("message")
			match(t, "other", got, c.want)
			if mine := ann.want("message"); mine != got {
				t.Errorf("sender got %s", mine)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("no JSON: %s", got)
			}
		})
	}
}

func TestMessageWithAttachments(t *testing.T) {
	s := open(t, chat.Options{})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	err := ann.w.SendPackets(
		wire.Packet{Data: `452-/chat,9["message",{"content":"hi","a":{"_placeholder":true,"num":1},"b":[{"_placeholder":true,"num":0}],"user":{"_placeholder":true,"num":0}}]`},
		wire.Packet{Data: "zero", Binary: true}, wire.Packet{Data: "one", Binary: true})
	if err != nil {
		t.Fatal(err)
	}
	match(t, "other", bob.read(), `452-/chat,["message",{"a":{"_placeholder":true,"num":0},"b":[{"_placeholder":true,"num":1}],"content":"hi","from":"ann","id":"*","room":"r","text":"hi","timestamp":1700000000000,"user":"ANN"}]`)
	for _, want := range []string{"one", "zero"} {
		got, err := bob.w.Next()
		if err != nil || got.Data != want || !got.Binary {
			t.Errorf("got %v, %v, want %s", got, err, want)
		}
	}
}
