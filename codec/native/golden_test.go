package native

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

const goldenFile = "testdata/bodies.txt"

// body returns the body of a reply, without its frame and seal.
func (r *told) body() []byte {
	if _, ok := r.frame.(*pb.GateServerFrame); ok {
		s := NewGate(testWorld).Open()
		s.phase = phaseOpen
		return s.appendBody(nil, &r.reply)
	}
	s := New(Options{}).Open()
	s.phase = phaseOpen
	return s.appendBody(nil, &r.reply)
}

func (s *said) mustRead(t *testing.T, body []byte) codec.Message {
	t.Helper()
	session, seal := s.at(t)
	frame := inClear(body)
	if seal != nil {
		frame = seal.Seal(nil, body)
	}
	m := mustDecode(t, session, frame)
	m.Native = withoutTranscript(m.Native)
	return m
}

// named is a message with its bytes.
type named struct {
	name string
	body []byte
}

func bodies(t testing.TB) (all []named) {
	for _, s := range saids() {
		all = append(all, named{s.name, mustMarshal(t, s.frame)})
	}
	for _, r := range append(tolds(), gateTolds()...) {
		all = append(all, named{r.name, mustMarshal(t, r.frame)})
	}
	for _, l := range lists() {
		all = append(all, named{l.name, mustMarshal(t, l.frame)})
	}
	for _, p := range pieces() {
		all = append(all, named{p.name, mustMarshal(t, p.frame())})
	}
	return all
}

// list is a list of worlds, or a change of it, both ways.
type list struct {
	name  string
	body  []byte
	frame *pb.ServerFrame
}

func lists() []list {
	ours, theirs := someWorlds()
	snapshot := func(w *pb.WorldSnapshot) *pb.ServerFrame {
		return &pb.ServerFrame{Body: &pb.ServerFrame_WorldSnapshot{WorldSnapshot: w}}
	}
	delta := func(w *pb.WorldDelta) *pb.ServerFrame {
		return &pb.ServerFrame{Body: &pb.ServerFrame_WorldDelta{WorldDelta: w}}
	}
	return []list{
		{"WorldSnapshot", AppendWorldSnapshot(nil, 300, true, ours), snapshot(&pb.WorldSnapshot{Version: 300, Stale: true, Worlds: theirs})},
		{"WorldSnapshot, empty", AppendWorldSnapshot(nil, 1, false, nil), snapshot(&pb.WorldSnapshot{Version: 1})},
		{"WorldDelta", AppendWorldDelta(nil, &WorldDelta{From: 300, To: 301, Changed: ours[:1], Removed: []uint8{9, 200}, Stale: true}),
			delta(&pb.WorldDelta{From: 300, To: 301, Changed: theirs[:1], Removed: []uint32{9, 200}, Stale: true})},
		{"WorldDelta, empty", AppendWorldDelta(nil, &WorldDelta{From: 1, To: 2}), delta(&pb.WorldDelta{From: 1, To: 2})},
	}
}

func TestGolden_BytesAreAsCommitted(t *testing.T) {
	var text strings.Builder
	text.WriteString("# Bodies of all messages, without their frames. Rewritten by go test ./codec/native -rewrite.\n")
	for _, n := range bodies(t) {
		fmt.Fprintf(&text, "%s: %x\n", n.name, n.body)
	}
	if *rewrite {
		if err := os.WriteFile(goldenFile, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("%s has\n%s\nbut generated code writes\n%s", goldenFile, want, text.String())
	}
}

// mustGolden returns the committed body of that name.
func mustGolden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if digits, ok := strings.CutPrefix(strings.TrimSpace(line), name+": "); ok {
			b, err := hex.DecodeString(digits)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
	}
	t.Fatalf("%s has no %s", goldenFile, name)
	return nil
}

func TestGolden_ClientsAreRead(t *testing.T) {
	for _, s := range saids() {
		if got := s.mustRead(t, mustGolden(t, s.name)); !reflect.DeepEqual(got, s.want) {
			t.Errorf("%s: %+v %+v, want %+v %+v", s.name, got, got.Native, s.want, s.want.Native)
		}
	}
}

func TestGolden_ServersAreWritten(t *testing.T) {
	for _, r := range append(tolds(), gateTolds()...) {
		if want := mustGolden(t, r.name); !bytes.Equal(r.body(), want) {
			t.Errorf("%s: %x, want %x", r.name, r.body(), want)
		}
	}
	for _, l := range lists() {
		if want := mustGolden(t, l.name); !bytes.Equal(l.body, want) {
			t.Errorf("%s: %x, want %x", l.name, l.body, want)
		}
	}
	for _, p := range pieces() {
		s, _, receive := mustOpen(t)
		body, err := receive.Open(mustFrameFile(t, s, p.offset, p.data))
		if want := mustGolden(t, p.name); err != nil || !bytes.Equal(body, want) {
			t.Errorf("%s: %x, want %x, %v", p.name, body, want, err)
		}
	}
}

// Every body of the contract is among the samples.
func TestGolden_NothingIsMissing(t *testing.T) {
	seen := map[protoreflect.FullName]bool{}
	note := func(m proto.Message) {
		r := m.ProtoReflect()
		seen[r.WhichOneof(r.Descriptor().Oneofs().Get(0)).FullName()] = true
	}
	for _, s := range saids() {
		note(s.frame)
	}
	for _, r := range append(tolds(), gateTolds()...) {
		note(r.frame)
	}
	for _, l := range lists() {
		note(l.frame)
	}
	for _, p := range pieces() {
		note(p.frame())
	}
	for _, frame := range contractFrames() {
		all := frame.Descriptor().Fields()
		for i := range all.Len() {
			if !seen[all.Get(i).FullName()] {
				t.Errorf("no sample of %s", all.Get(i).FullName())
			}
		}
	}
}
