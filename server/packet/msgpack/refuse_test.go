package msgpack_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// Pieces of packets. An event in the root namespace is 83 + event + root + …
const (
	event = "a474797065 02 "
	ack   = "a474797065 03 "
	conn  = "a474797065 00 "
	bye   = "a474797065 01 "
	root  = "a36e7370 a12f "
	data  = "a464617461 "
	hello = data + "91a165 "
	id    = "a26964 "
)

func TestRefused(t *testing.T) {
	for name, test := range map[string]struct{ hex, reason string }{
		"nothing":                    {"", "message ends early"},
		"an array":                   {"90", "bad MessagePack"},
		"a number":                   {"02", "bad MessagePack"},
		"no code":                    {"c1", "bad MessagePack"},
		"JSON":                       {hex.EncodeToString([]byte(`{"type":2}`)), "bad MessagePack"},
		"an empty map":               {"80", "bad packet type"},
		"no type":                    {"82" + root + hello, "bad packet type"},
		"a high type":                {"83 a474797065 05" + root + hello, "bad packet type"},
		"a negative type":            {"83 a474797065 ff" + root + hello, "bad packet type"},
		"a fraction":                 {"83 a474797065 cb3ff8000000000000" + root + hello, "bad packet type"},
		"a type in text":             {"83 a474797065 a132" + root + hello, "bad packet type"},
		"a null type":                {"83 a474797065 c0" + root + hello, "bad packet type"},
		"a client's CONNECT_ERROR":   {"83 a474797065 04" + root + data + "80", "bad packet type"},
		"no namespace":               {"82" + event + hello, "bad namespace"},
		"a null namespace":           {"83" + event + hello + "a36e7370 c0", "bad namespace"},
		"a number for a namespace":   {"83" + event + hello + "a36e7370 07", "bad namespace"},
		"an empty namespace":         {"83" + event + hello + "a36e7370 a0", "bad namespace"},
		"a namespace without slash":  {"83" + event + hello + "a36e7370 a161", "bad namespace"},
		"a comma":                    {"83" + event + hello + "a36e7370 a32f2c61", "bad namespace"},
		"a namespace not UTF-8":      {"83" + event + hello + "a36e7370 a22fff", "bad namespace"},
		"a long namespace":           {"83" + event + hello + "a36e7370 da0101 2f" + strings.Repeat("61", 256), "bad namespace"},
		"a negative id":              {"84" + event + root + hello + id + "ff", "bad ack id"},
		"a fraction of an id":        {"84" + event + root + hello + id + "cb3ff8000000000000", "bad ack id"},
		"an id of 2^53":              {"84" + event + root + hello + id + "cf0020000000000000", "bad ack id"},
		"an id of 2^64-1":            {"84" + event + root + hello + id + "cfffffffffffffffff", "bad ack id"},
		"an id in text":              {"84" + event + root + hello + id + "a137", "bad ack id"},
		"a CONNECT with an id":       {"83" + conn + root + id + "01", "bad payload"},
		"a CONNECT with an array":    {"83" + conn + root + data + "90", "bad payload"},
		"a CONNECT with a text":      {"83" + conn + root + data + "a161", "bad payload"},
		"a CONNECT with bytes":       {"83" + conn + root + data + "c40101", "bad payload"},
		"a CONNECT with bytes in it": {"83" + conn + root + data + "81a161c40101", "bad payload"},
		"a DISCONNECT with data":     {"83" + bye + root + data + "80", "bad payload"},
		"a DISCONNECT with an id":    {"83" + bye + root + id + "01", "bad payload"},
		"an event without data":      {"82" + event + root, "bad payload"},
		"an event with null":         {"83" + event + root + data + "c0", "bad payload"},
		"an event with an object":    {"83" + event + root + data + "80", "bad payload"},
		"an event with bytes":        {"83" + event + root + data + "c40101", "bad payload"},
		"an event without name":      {"83" + event + root + data + "90", "bad event name"},
		"bytes for a name":           {"83" + event + root + data + "91c40165", "bad event name"},
		"an object for a name":       {"83" + event + root + data + "9180", "bad event name"},
		"a long name":                {"83" + event + root + data + "91da0101" + strings.Repeat("61", 257), "bad event name"},
		"a reserved name":            {"83" + event + root + data + "91aa646973636f6e6e656374", "reserved event name"},
		"an ack with an object":      {"84" + ack + root + id + "01" + data + "80", "bad payload"},
		"a repeated type":            {"84" + event + event + root + hello, "member given twice"},
		"a repeated namespace":       {"84" + event + root + root + hello, "member given twice"},
		"repeated data":              {"84" + event + root + hello + hello, "member given twice"},
		"a repeated id":              {"85" + event + root + hello + id + "01" + id + "01", "member given twice"},
		"bytes after it":             {"83" + event + root + hello + "00", "bytes after the packet"},
		"a member too few":           {"84" + event + root + hello, "message ends early"},
		"an integer for a key":       {"83" + event + root + "01 00", "a key that is not text"},
		"a key in data":              {"83" + event + root + data + "92a165 810102", "a key that is not text"},
		"an extension":               {"83" + event + root + data + "92a165 d40100", "unknown extension type"},
		"an extension in options":    {"84" + event + root + hello + "a76f7074696f6e73 d50000 00", "unknown extension type"},
		"a long array":               {"83" + event + root + data + "ddffffffff", "message ends early"},
		"a long map":                 {"dfffffffff", "message ends early"},
		"long bytes":                 {"83" + event + root + data + "92a165 c6ffffffff00", "message ends early"},
		"deep":                       {"83" + event + root + data + "92a165" + strings.Repeat("91", 128) + "00", "JSON nested too deeply"},
		"deeper":                     {"83" + event + root + data + "92a165" + strings.Repeat("91", 2000) + "00", "nested too deeply"},
		"deep in options":            {"84" + event + root + hello + "a76f7074696f6e73" + strings.Repeat("81a161", 2000) + "00", "nested too deeply"},
		"many arguments":             {"83" + event + root + data + "dc0101 a165" + strings.Repeat("00", 256), "too many arguments"},
		"many attachments":           {"83" + event + root + data + "92a165 dc0101" + strings.Repeat("c400", 257), "too many binary parts"},
		"what looks like an attachment next to one": {"83" + event + root + data + "93a165 c40101 82ac5f706c616365686f6c646572c3a36e756d00", "bad placeholder"},
	} {
		message, err := hex.DecodeString(strings.ReplaceAll(test.hex, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p, err := decode(message)
		var bad *packet.Error
		if p != nil || !errors.As(err, &bad) || !errors.Is(err, packet.ErrInvalid) || bad.Reason != test.reason {
			t.Errorf("%s: %v, %v, want %q", name, p, err, test.reason)
		} else if bad.Offset < 0 || bad.Offset > len(message) {
			t.Errorf("%s: at %d of %d", name, bad.Offset, len(message))
		}
	}
}

// TestTaken: what is unusual, and means something.
func TestTaken(t *testing.T) {
	for name, test := range map[string]struct{ hex, want string }{
		"another order":       {"84" + root + id + "07" + hello + event, `["EVENT","/","7",["e"]]`},
		"unknown members":     {"85" + event + "a178 c40101" + root + "a179 81a161c0" + hello, `["EVENT","/","",["e"]]`},
		"bytes in options":    {"84" + event + root + "a76f7074696f6e73 c40101" + data + "92a165 c40102", `["EVENT","/","",["e",{"$bin":"02"}]]`},
		"an undefined id":     {"84" + event + root + hello + id + "d40000", `["EVENT","/","",["e"]]`},
		"an id in a float":    {"84" + event + root + hello + id + "cb4014000000000000", `["EVENT","/","5",["e"]]`},
		"long forms":          {"de0003 d90474797065 cc02" + root + data + "dc0001 da000165", `["EVENT","/","",["e"]]`},
		"a null auth":         {"83" + conn + root + data + "c0", `["CONNECT","/","",[]]`},
		"no auth":             {"82" + conn + root, `["CONNECT","/","",[]]`},
		"no ack id":           {"83" + ack + root + data + "9101", `["ACK","/","",[1]]`},
		"text that is none":   {"83" + event + root + data + "92a165 a2ff61", `["EVENT","/","",["e","` + "\ufffd" + `a"]]`},
		"a placeholder alone": {"83" + event + root + data + "92a165 82ac5f706c616365686f6c646572c3a36e756d00", `["EVENT","/","",["e",{"_placeholder":true,"num":0}]]`},
		"256 attachments":     {"83" + event + root + data + "92a165 dc0100" + strings.Repeat("c400", 256), ""},
		"127 levels":          {"83" + event + root + data + "92a165" + strings.Repeat("91", 127) + "00", ""},
	} {
		message, err := hex.DecodeString(strings.ReplaceAll(test.hex, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p, err := decode(message); err != nil || test.want != "" && shown(p) != test.want {
			t.Errorf("%s: %v, %v, want %s", name, p, err, test.want)
		}
	}
}

// TestDecoderGoesOn: a decoder holds nothing of what it has refused, and keeps
// the namespace that it has seen.
func TestDecoderGoesOn(t *testing.T) {
	d := msgpack.Parser{}.Decoders(packet.Limits{MaxArgs: 1})()
	if p, err := d.Text([]byte("0")); p != nil || !errors.Is(err, packet.ErrInvalid) {
		t.Errorf("text is taken: %v, %v", p, err)
	}
	for range 2 {
		if _, err := d.Binary([]byte("\xc1")); err == nil {
			t.Error("taken")
		}
		p, err := d.Binary([]byte("\x83\xa4type\x02\xa3nsp\xa2/n\xa4data\x91\xa1e"))
		if err != nil || shown(p) != `["EVENT","/n","",["e"]]` || d.Pending() != nil {
			t.Error(p, err)
		}
	}
	if _, err := d.Binary([]byte("\x83\xa4type\x02\xa3nsp\xa2/n\xa4data\x92\xa1e\x01")); err == nil {
		t.Error("limits are not looked at")
	}
}
