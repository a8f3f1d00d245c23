package packet_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
)

const (
	first  = `{"_placeholder":true,"num":0}`
	second = `{"_placeholder":true,"num":1}`
)

// TestParts: parts make the packet that messages with them make, and are what
// comes out of it again.
func TestParts(t *testing.T) {
	for _, test := range []struct {
		parts   packet.Parts
		message string
	}{
		{packet.Parts{Type: packet.Connect}, `0`},
		{packet.Parts{Type: packet.Connect, Namespace: []byte("/a"), Payload: []byte(`{"x":1}`)}, `0/a,{"x":1}`},
		{packet.Parts{Type: packet.Disconnect, Namespace: []byte("/")}, `1`},
		{packet.Parts{Type: packet.Event, Payload: []byte(`["e",{"a":[1]}]`)}, `2["e",{"a":[1]}]`},
		{packet.Parts{Type: packet.Event, Payload: []byte(`["e",` + first + `]`)}, `2["e",` + first + `]`},
		{packet.Parts{Type: packet.Ack, HasID: true, ID: packet.MaxID, Namespace: []byte("/a"), Payload: []byte(`[]`)}, `3/a,9007199254740991[]`},
		{packet.Parts{Type: packet.Event, Payload: []byte(`["e",[` + second + `],` + first + `]`), Attachments: [][]byte{{1}, nil}}, `52-["e",[` + second + `],` + first + `]`},
	} {
		d := packet.NewDecoder(packet.Limits{})
		for range 2 { // the second time the namespace is known
			p, err := d.Packet(&test.parts)
			if err != nil {
				t.Errorf("%s: %v", test.message, err)
				continue
			}
			text, attachments, err := packet.Append(nil, p)
			if err != nil || string(text) != test.message || !slices.EqualFunc(attachments, test.parts.Attachments, bytes.Equal) {
				t.Errorf("%s %v, %v, want %s %v", text, attachments, err, test.message, test.parts.Attachments)
			}
			payload, attachments, err := p.Payload()
			want := string(test.parts.Payload)
			if p.Type == packet.Event || p.Type == packet.Ack {
				want = want[1 : len(want)-1]
			}
			if err != nil || payload != want || !slices.EqualFunc(attachments, test.parts.Attachments, bytes.Equal) {
				t.Errorf("%s: payload %s %v, %v", test.message, payload, attachments, err)
			}
		}
	}
}

func TestPartsRefused(t *testing.T) {
	payload := []byte(`["e"]`)
	bin := [][]byte{{1, 2, 3}}
	for reason, list := range map[string][]packet.Parts{
		"bad packet type":           {{Type: packet.ConnectError, Payload: []byte(`{}`)}, {Type: packet.BinaryEvent, Payload: payload}, {Type: 200}},
		"bad ack id":                {{Type: packet.Ack, HasID: true, ID: packet.MaxID + 1, Payload: []byte(`[]`)}},
		"bad namespace":             {{Type: packet.Event, Namespace: []byte("a"), Payload: payload}, {Type: packet.Event, Namespace: []byte("/a,b"), Payload: payload}},
		"bad number of attachments": {{Type: packet.Event, Payload: payload, Attachments: [][]byte{{1}, {1}, {1}}}},
		"attachments too large":     {{Type: packet.Event, Payload: []byte(`["e",` + first + `,` + second + `]`), Attachments: [][]byte{{1, 2, 3}, {4, 5}}}},
		"bad placeholder": {
			{Type: packet.Event, Payload: payload, Attachments: bin},
			{Type: packet.Event, Payload: []byte(`["e",` + first + `,` + first + `]`), Attachments: bin},
			{Type: packet.Event, Payload: []byte(`["e",` + second + `]`), Attachments: bin},
			{Type: packet.Event, Payload: []byte(`["e",` + first + `,{"_placeholder":true}]`), Attachments: bin},
		},
		"bad payload": {
			{Type: packet.Connect, Payload: []byte(`[]`)}, {Type: packet.Connect, HasID: true}, {Type: packet.Connect, Payload: []byte(first), Attachments: bin},
			{Type: packet.Disconnect, Payload: []byte(`{}`)}, {Type: packet.Disconnect, HasID: true},
			{Type: packet.Event}, {Type: packet.Event, Payload: []byte(`{}`)},
		},
		"bad JSON":               {{Type: packet.Event, Payload: []byte(`["e",]`)}, {Type: packet.Connect, Payload: []byte(`{`)}},
		"JSON nested too deeply": {{Type: packet.Event, Payload: []byte(`["e",` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `]`)}},
		"data after the payload": {{Type: packet.Event, Payload: []byte(`["e"]x`)}},
		"bad event name":         {{Type: packet.Event, Payload: []byte(`[]`)}, {Type: packet.Event, Payload: []byte(`[` + first + `]`), Attachments: bin}},
		"reserved event name":    {{Type: packet.Event, Payload: []byte(`["connect"]`)}},
	} {
		for _, parts := range list {
			p, err := packet.NewDecoder(packet.Limits{MaxAttachments: 2, MaxBytes: 4}).Packet(&parts)
			if bad, ok := errors.AsType[*packet.Error](err); p != nil || !ok || bad.Reason != reason {
				t.Errorf("%+v: %v, %v, want %s", parts, p, err, reason)
			}
		}
	}
	d := packet.NewDecoder(packet.Limits{})
	if p, err := d.Text([]byte(`51-["e",` + first + `]`)); p != nil || err != nil {
		t.Fatal(p, err)
	}
	if p, err := d.Packet(&packet.Parts{Type: packet.Event, Payload: payload}); p != nil || err == nil || d.Awaiting() {
		t.Errorf("in the middle of another packet: %v, %v", p, err)
	}
}
