package wire

import (
	"slices"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"40", "40", true},
		{"40", "400", false},
		{`40{"sid":"*"}`, `40{"sid":"abc"}`, true},
		{`40{"sid":"*"}`, `40{"sid":""}`, true},
		{`40{"sid":"*"}`, `40{"sid":"abc"}x`, false},
		{"*", "", true},
		{"a*b*c", "a-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"a*bc*c", "abc", false},
		{"ab*b", "ab", false},
	} {
		if got := Match(tc.pattern, tc.text); got != tc.want {
			t.Errorf("Match(%q, %q) = %t", tc.pattern, tc.text, got)
		}
	}
}

func TestPayload(t *testing.T) {
	packets := []Packet{{Data: "40"}, {Data: "\x00\xff", Binary: true}, {Data: `42["é"]`}}
	body := EncodePayload(packets...)
	if want := "40\x1ebAP8=\x1e" + `42["é"]`; body != want {
		t.Errorf("encoded %q, want %q", body, want)
	}
	got, err := DecodePayload(body)
	if err != nil || !slices.Equal(got, packets) {
		t.Errorf("decoded %v, %v", got, err)
	}
	if _, err := DecodePayload("b!!!"); err == nil {
		t.Error("bad base64 was accepted")
	}
}

func TestHandshakeBytes(t *testing.T) {
	got := Handshake{Header: []string{"Sec-WebSocket-Version: 12", "Connection:", "Origin: http://a"}, Extra: "x"}.Bytes("h:1")
	want := "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: h:1\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 12\r\nOrigin: http://a\r\n\r\nx"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseTranscript(t *testing.T) {
	tr, err := ParseTranscript("t", "# comment\n\nserver a=1 b=2\nours: stricter\nopen each\nC@x: 42[\"a: b\"]\nGET#1:\nstatus#1@x: 200\n")
	if err != nil {
		t.Fatal(err)
	}
	if tr.Options["a"] != "1" || tr.Options["b"] != "2" || tr.Ours != "stricter" || !slices.Equal(tr.Transports, Transports()) {
		t.Errorf("got %+v", tr)
	}
	want := []step{
		{line: 5, verb: "open", arg: "each"},
		{line: 6, verb: "C", client: "x", arg: `42["a: b"]`},
		{line: 7, verb: "GET", label: "#1"},
		{line: 8, verb: "status", label: "#1", client: "x", arg: "200"},
	}
	if !slices.Equal(tr.steps, want) {
		t.Errorf("got %+v, want %+v", tr.steps, want)
	}
	for _, bad := range []string{"", "# only\n", "!?\n", "open tcp\n"} {
		if _, err := ParseTranscript("t", bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	if err := tr.Run("127.0.0.1:1", Websocket); err == nil || !strings.HasPrefix(err.Error(), "t:5: open: ") {
		t.Errorf("without a server: %v", err)
	}
}
