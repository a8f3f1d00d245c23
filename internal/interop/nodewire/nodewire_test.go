package nodewire_test

import (
	"encoding/hex"
	"reflect"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/interop/nodewire"
	"github.com/zishang520/socket.io-go-parser/v2/parser"
	"github.com/zishang520/socket.io-go-redis/types"
	"github.com/zishang520/socket.io/v2/adapter"
	"github.com/zishang520/socket.io/v2/socket"
)

// What Node's adapter writes for io.emit("e", 1), as the server "x".
const captured = "93a17883a47479706502a46461746192a16501a36e7370a12f83a5726f6f6d7390a665786365707490a5666c61677380"

func TestBroadcast(t *testing.T) {
	b, err := nodewire.Parser{}.Encode(&types.RedisPacket{
		Uid: "x", Packet: &parser.Packet{Type: parser.EVENT, Nsp: "/", Data: []any{"e", 1}}, Opts: &adapter.PacketOptions{Flags: &socket.BroadcastFlags{}},
	})
	if got := hex.EncodeToString(b); err != nil || got != captured {
		t.Errorf("%s, %v", got, err)
	}
	var p *types.RedisPacket
	if err := (nodewire.Parser{}).Decode(b, &p); err != nil {
		t.Fatal(err)
	}
	if p.Uid != "x" || p.Packet.Type != parser.EVENT || p.Packet.Nsp != "/" || !reflect.DeepEqual(p.Packet.Data, []any{"e", int8(1)}) {
		t.Errorf("%+v, %+v", p, p.Packet)
	}
}

func TestOptions(t *testing.T) {
	timeout := 1500 * time.Millisecond
	opts := &adapter.PacketOptions{Rooms: []socket.Room{"a", "b"}, Except: []socket.Room{"c"}, Flags: &socket.BroadcastFlags{Timeout: &timeout}}
	opts.Flags.Volatile, opts.Flags.Compress = true, true
	b, err := nodewire.Parser{}.Encode(&types.RedisRequest{
		Uid: "x", RequestId: "q", Type: types.BROADCAST, Packet: &parser.Packet{Type: parser.EVENT, Data: []any{"e"}}, Opts: opts,
	})
	if err != nil {
		t.Fatal(err)
	}
	var r *types.RedisRequest
	if err := (nodewire.Parser{}).Decode(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.Uid != "x" || r.RequestId != "q" || r.Type != types.BROADCAST || !reflect.DeepEqual(r.Opts, opts) {
		t.Errorf("%+v, %+v, %+v", r, r.Opts, r.Opts.Flags)
	}
}

// TestRefuses: what is no event is not handed on to clients.
func TestRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "rubbish": "c1", "a map": "80", "two of three": "92a17880", "a packet of nil": "93a178c080",
		"another type": "93a17883a47479706504a46461746191a165a36e7370a12f80", "no data": "93a17881a4747970650280",
	} {
		b, _ := hex.DecodeString(text)
		var p *types.RedisPacket
		if err := (nodewire.Parser{}).Decode(b, &p); err == nil {
			t.Errorf("%s is %+v", name, p)
		}
	}
}
