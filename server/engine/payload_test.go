package engine

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/corpus"
)

func TestParsePayload(t *testing.T) {
	text := func(s string) inPacket { return inPacket{kind: packetMessage, data: []byte(s)} }
	binary := func(s string) inPacket { return inPacket{kind: packetMessage, binary: true, data: []byte(s)} }
	for body, want := range map[string][]inPacket{
		"4hello":               {text("hello")},
		"4":                    {text("")},
		"4a\x1e4b\x1e4c":       {text("a"), text("b"), text("c")},
		"3":                    {{kind: packetPong, data: []byte{}}},
		"3probe\x1e1":          {{kind: packetPong, data: []byte("probe")}, {kind: packetClose, data: []byte{}}},
		"bAQID":                {binary("\x01\x02\x03")},
		"b":                    {binary("")},
		"bAQ==\x1e4€\x1ebAg==": {binary("\x01"), text("€"), binary("\x02")},
		"4\x00":                {text("\x00")},
	} {
		got, err := parsePayload([]byte(body))
		same := slices.EqualFunc(got, want, func(a, b inPacket) bool {
			return a.kind == b.kind && a.binary == b.binary && bytes.Equal(a.data, b.data)
		})
		if err != nil || !same {
			t.Errorf("%q: %v, %v, want %v", body, got, err, want)
		}
	}
	for _, body := range []string{
		"", "\x1e", "4a\x1e", "\x1e4a", "4a\x1e\x1e4b", "abc", "7", "9x", "b!!!", "bAQ", "bAQ=", "bAR==", "4\xff", "4a\x1eb\x1e:",
		strings.Repeat("6\x1e", maxPayloadPackets) + "6",
	} {
		if got, err := parsePayload([]byte(body)); err == nil {
			t.Errorf("%.20q is accepted: %v", body, got)
		}
	}
	if got, err := parsePayload([]byte(strings.Repeat("6\x1e", maxPayloadPackets-1) + "6")); err != nil || len(got) != maxPayloadPackets {
		t.Errorf("%d packets of %d: %v", len(got), maxPayloadPackets, err)
	}
}

// encode is the payload of packets, for round trips.
func encode(packets []inPacket) []byte {
	var b []byte
	for i, p := range packets {
		if i > 0 {
			b = append(b, separator)
		}
		if p.binary {
			b = append(b, NewBinary(p.data).polled()...)
		} else {
			b = append(b, packet(p.kind, string(p.data)).polled()...)
		}
	}
	return b
}

// FuzzPayload: no payload does harm, and what is accepted means one thing.
func FuzzPayload(f *testing.F) {
	corpus.Add(f)
	for _, s := range []string{"4hello", "4a\x1e4b", "bAQID", "2", "3probe\x1e1", "b", "4€\x1ebAg==", "b\nAQ==", "\x1e", "abc"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		packets, err := parsePayload(body)
		if err != nil {
			return
		}
		again, err := parsePayload(encode(packets))
		if err != nil || len(again) != len(packets) {
			t.Fatalf("%q: again %v, %v", body, again, err)
		}
		for i, p := range packets {
			q := again[i]
			if p.kind != q.kind || p.binary != q.binary || !bytes.Equal(p.data, q.data) {
				t.Fatalf("%q: packet %d is %v, then %v", body, i, p, q)
			}
		}
	})
}

func TestAcceptsGzip(t *testing.T) {
	for value, want := range map[string]bool{
		"gzip": true, "gzip, deflate, br": true, "deflate, GZIP": true, "br;q=1.0, gzip;q=0.5": true,
		"": false, "br": false, "gzip;q=0": false, "gzip; q=0.00": false, "xgzip": false, "identity": false,
	} {
		if got := acceptsGzip(map[string][]string{"Accept-Encoding": {value}}); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}
