package chat_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// file takes a file, and returns what is said of it and its bytes.
func (p *peer) file() (about, content string) {
	p.t.Helper()
	var got string
	if len(p.events) > 0 {
		got, p.events = p.events[0], p.events[1:]
		p.t.Fatalf("got %s, want a file", got)
	}
	got = p.read()
	const head, tail = `451-/chat,["file",`, `,{"_placeholder":true,"num":0}]`
	match(p.t, "file", got, head+"*"+tail)
	bytes, err := p.w.Next()
	if err != nil || !bytes.Binary {
		p.t.Fatalf("%v, %v, want bytes", bytes, err)
	}
	return got[len(head) : len(got)-len(tail)], bytes.Data
}

func TestFileUpload(t *testing.T) {
	s := open(t, chat.Options{})
	bob, ann, tab := s.in("bob", "r"), s.as("ann"), s.as("ann")
	ann.call("join", `"r"`)
	bob.want("user_joined")
	tab.call("join", `"r"`)
	ack := ann.binary("file_upload", `{"_placeholder":true,"num":0}`, "bytes")
	match(t, "ack", ack, `{"ok":true,"id":"*","size":5}`)
	for p := range each(bob, tab) {
		about, content := p.file()
		match(t, "file", about, `{"id":`+field(t, ack, "id")+`,"room":"r","from":"ann","user":"ANN","name":"file","type":"application/octet-stream","size":5,"timestamp":1700000000000}`)
		if content != "bytes" {
			t.Errorf("got %q", content)
		}
	}
	ann.quiet()
	ann.call("join", `"r2"`)
	match(t, "which room", ann.binary("file_upload", `{"_placeholder":true,"num":0}`, "x"), `*"invalid_payload"*`)
	match(t, "no such room", ann.binary("file_upload", `{"room":"r3"},{"_placeholder":true,"num":0}`, "x"), `*"not_in_room"*`)
	ack = ann.binary("file_upload", `{"room":"r","name":"a.png","type":"image/png","clientMsgId":"f1"},{"_placeholder":true,"num":0}`, "x")
	about, _ := bob.file()
	match(t, "file", about, `*"name":"a.png","type":"image/png","size":1,*`)
	match(t, "again", ann.binary("file_upload", `{"room":"r","name":"a.png","clientMsgId":"f1"},{"_placeholder":true,"num":0}`, "x"), ack)
	match(t, "null", ann.binary("file_upload", `{"roomId":"r","name":null},{"_placeholder":true,"num":0}`, ""), `{"ok":true,"id":"*","size":0}`)
	about, content := bob.file()
	match(t, "empty", about, `*"name":"file","type":"application/octet-stream","size":0,*`)
	if content != "" {
		t.Errorf("got %q", content)
	}
	bob.quiet()
	// Files are not kept.
	match(t, "history", bob.call("history", `"r"`), `*"messages":[],*`)
	if got := s.chat.Stats(); got.Files != 3 || got.Repeated != 1 || got.Messages != 0 || got.Unkept != 0 {
		t.Errorf("%+v", got)
	}
}

func TestFileSize(t *testing.T) {
	s := open(t, chat.Options{FileBytes: 100})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	match(t, "just", ann.binary("file_upload", `{"_placeholder":true,"num":0}`, rep("x", 100)), `{"ok":true,"id":"*","size":100}`)
	bob.file()
	match(t, "too large", ann.binary("file_upload", `{"_placeholder":true,"num":0}`, rep("x", 101)),
		`{"ok":false,"error":{"code":"message_too_large","message":"the file is larger than 100 bytes"}}`)
	bob.quiet()
}

// Files and messages share a budget.
func TestFileRate(t *testing.T) {
	s := open(t, chat.Options{MessageRate: 1, MessageBurst: 2})
	ann := s.in("ann", "r")
	match(t, "file", ann.binary("file_upload", `{"_placeholder":true,"num":0}`, "x"), `{"ok":true,*`)
	match(t, "direct", ann.call("direct_message", `{"to":"ann","text":"x"}`), `{"ok":true,*`)
	match(t, "message", ann.call("message", `{"text":"x"}`), `*"rate_limited"*`)
	match(t, "direct", ann.call("direct_message", `{"to":"ann","text":"x"}`), `*"rate_limited"*`)
	match(t, "file", ann.binary("file_upload", `{"_placeholder":true,"num":0}`, "x"), `*"rate_limited"*`)
	if got := s.chat.Stats(); got.RateLimited != 3 {
		t.Errorf("%+v", got)
	}
}

func TestFileNamesAndTypes(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	upload := func(about string) string {
		t.Helper()
		match(t, about, ann.binary("file_upload", about+`,{"_placeholder":true,"num":0}`, "x"), `{"ok":true,*`)
		got, _ := bob.file()
		return got
	}
	for said, want := range map[string]string{
		`"a.png"`:                     `"a.png"`,
		`""`:                          `"file"`,
		`"../../etc/passwd"`:          `"passwd"`,
		`"C:\\dir\\a.exe"`:            `"a.exe"`,
		`"/"`:                         `"file"`,
		`".."`:                        `"file"`,
		`"."`:                         `"file"`,
		`".bashrc"`:                   `".bashrc"`,
		`"a\u0000b\r\n\u007fc\u0085"`: `"abc"`,
		`"gpj\u202eexe"`:              `"gpjexe"`,
		`" a b "`:                     `"a b"`,
		`"<b>\"&"`:                    `"<b>\"&"`,
		`"\ud800"`:                    "\"\ufffd\"",
		strconv.Quote(rep("é", 255)):  strconv.Quote(rep("é", 255)),
	} {
		match(t, said, upload(`{"name":`+said+`}`), `*,"name":`+want+`,"type":*`)
	}
	const unknown = `"application/octet-stream"`
	for said, want := range map[string]string{
		`"image/png"`:                  `"image/png"`,
		`"IMAGE/PNG"`:                  `"image/png"`,
		`"text/plain;charset=utf-8"`:   `"text/plain"`,
		`"image/svg+xml"`:              `"image/svg+xml"`,
		`""`:                           unknown,
		`"png"`:                        unknown,
		`"image/"`:                     unknown,
		`"/png"`:                       unknown,
		`"image/p ng"`:                 unknown,
		`"image/png\r\nX: y"`:          unknown,
		`"text/<b>"`:                   unknown,
		`"a/b/c"`:                      unknown,
		`"é/b"`:                        unknown,
		`1`:                            unknown,
		`{}`:                           unknown,
		`null`:                         unknown,
		`"text/` + rep("x", 122) + `"`: `"text/` + rep("x", 122) + `"`,
		`"text/` + rep("x", 123) + `"`: unknown,
	} {
		match(t, said, upload(`{"type":`+said+`}`), `*,"type":`+want+`,"size":1,*`)
	}
	for _, about := range []string{`{"name":1}`, `{"name":[]}`, fmt.Sprintf(`{"name":%q}`, rep("x", 256)), `{"clientMsgId":{}}`, `{"room":[]}`} {
		match(t, about, ann.binary("file_upload", about+`,{"_placeholder":true,"num":0}`, "x"), `*"invalid_payload"*`)
	}
	bob.quiet()
}
