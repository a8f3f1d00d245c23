package msgpack_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/corpus"
	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// FuzzDecode: what is read of any message can be sent to clients of both
// parsers, who read the same.
func FuzzDecode(f *testing.F) {
	corpus.Add(f)
	for _, v := range vectors(f) {
		f.Add(v.bytes(f))
	}
	for _, seed := range []string{
		"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e\x82\xac_placeholder\xc3\xa3num\x00",
		"\x84\xa4type\x03\xa2id\xcb\x40\x14\x00\x00\x00\x00\x00\x00\xa3nsp\xa2/n\xa4data\x91\xc7\x02\x00ab",
		"\x83\xa4type\x02\xa3nsp\xa1/\xa4data\xdd\x00\x00\x00\x02\xa1e\xca\x3f\x80\x00\x00", "\xdf\xff\xff\xff\xff", "\x81\xa4type",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		was := bytes.Clone(message)
		p, err := decode(message)
		if !bytes.Equal(message, was) {
			t.Fatal("the message has been written to")
		}
		if err != nil {
			var bad *packet.Error
			if p != nil || !errors.As(err, &bad) || bad.Reason == "" || bad.Offset < 0 || bad.Offset > len(message) {
				t.Fatalf("%v, %v", p, err)
			}
			return
		}
		if p.Type == packet.Ack && !p.HasID {
			return // ignored by servers, and not to be sent
		}
		want := shown(p)
		again, _, err := msgpack.Parser{}.Append(nil, p)
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		if p2, err := decode(again); err != nil {
			t.Fatalf("%s: %x: %v", want, again, err)
		} else if got := shown(p2); got != want && !strings.Contains(want, "\\") {
			t.Fatalf("%s, was %s", got, want)
		}
		text, attachments, err := packet.Append(nil, p)
		if err != nil {
			t.Fatalf("%s: %v", want, err)
		}
		d := packet.NewDecoder(packet.Limits{MaxAttachments: msgpack.DefaultMaxAttachments})
		p3, err := d.Text(text)
		for _, b := range attachments {
			if err != nil {
				break
			}
			p3, err = d.Binary(b)
		}
		if err != nil {
			t.Fatalf("%s: %s: %v", want, text, err)
		}
		if got := shown(p3); got != want {
			t.Fatalf("%s, was %s", got, want)
		}
	})
}
