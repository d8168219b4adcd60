package native

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// The parser's tables of fields agree with the contract for every field.
func TestContract_ShapesAreTheContracts(t *testing.T) {
	for frame, e := range map[protoreflect.Message]*envelope{
		(&pb.ClientFrame{}).ProtoReflect():     &loginEnvelope,
		(&pb.GateClientFrame{}).ProtoReflect(): &gateEnvelope,
	} {
		want := envelope{}
		bodies := frame.Descriptor().Fields()
		for i := range bodies.Len() {
			body := bodies.Get(i)
			want.bodies[body.Number()] = raw
			want.shapes[body.Number()] = shapeOf(t, body.Message())
		}
		if *e != want {
			t.Errorf("%s: %+v, want %+v", frame.Descriptor().Name(), *e, want)
		}
	}
}

// contractFrames are the four envelopes.
func contractFrames() []protoreflect.Message {
	return []protoreflect.Message{
		(&pb.ClientFrame{}).ProtoReflect(), (&pb.ServerFrame{}).ProtoReflect(),
		(&pb.GateClientFrame{}).ProtoReflect(), (&pb.GateServerFrame{}).ProtoReflect(),
	}
}

func shapeOf(t *testing.T, m protoreflect.MessageDescriptor) (s shape) {
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if f.IsList() {
			t.Fatalf("%s is repeated: the parser must learn that", f.FullName())
		}
		switch f.Kind() {
		case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.BoolKind:
			s[f.Number()] = number
		case protoreflect.BytesKind:
			s[f.Number()] = raw
		case protoreflect.StringKind:
			s[f.Number()] = text
		default:
			t.Fatalf("%s is %v: the parser must learn that", f.FullName(), f.Kind())
		}
	}
	return s
}

func words(prefix, enum string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(enum, prefix), "_", "-"))
}

func TestContract_ResultsHaveTheirNames(t *testing.T) {
	if len(pb.Result_name) != int(codec.ResultCount) {
		t.Errorf("%d results in the contract, %d in the vocabulary", len(pb.Result_name), codec.ResultCount)
	}
	for r := codec.ResultOK + 1; r < codec.ResultCount; r++ {
		if got := words("RESULT_", pb.Result_name[int32(results[r])]); got != r.String() {
			t.Errorf("%v is told as %q", r, got)
		}
	}
}

func TestContract_ReasonsHaveTheirNames(t *testing.T) {
	if len(pb.SelectRefused_Reason_name) != int(codec.SelectReasonCount) {
		t.Errorf("%d reasons in the contract, %d in the vocabulary", len(pb.SelectRefused_Reason_name), codec.SelectReasonCount)
	}
	for r := codec.SelectUnknown; r < codec.SelectReasonCount; r++ {
		if got := words("REASON_", pb.SelectRefused_Reason_name[int32(r)]); got != r.String() {
			t.Errorf("%v is told as %q", r, got)
		}
	}
}

func TestContract_EndsHaveTheirNames(t *testing.T) {
	if len(pb.UpdateFailed_Reason_name) != int(codec.TransferEndCount) {
		t.Errorf("%d reasons in the contract, %d in the vocabulary", len(pb.UpdateFailed_Reason_name), codec.TransferEndCount)
	}
	for e := codec.TransferOffset; e < codec.TransferEndCount; e++ {
		if got := words("REASON_", pb.UpdateFailed_Reason_name[int32(e)]); got != e.String() {
			t.Errorf("%v is told as %q", e, got)
		}
	}
}

func TestContract_WorldsHaveTheContractsNumbers(t *testing.T) {
	for ours, theirs := range map[WorldKind]pb.World_Kind{
		WorldNormal: pb.World_KIND_NORMAL, WorldPvP: pb.World_KIND_PVP, WorldRP: pb.World_KIND_RP,
		WorldRPPvP: pb.World_KIND_RP_PVP, WorldPvE: pb.World_KIND_PVE,
	} {
		if int(ours) != int(theirs) {
			t.Errorf("%v is %d", theirs, ours)
		}
	}
	for ours, theirs := range map[WorldStatus]pb.World_Status{
		StatusOnline: pb.World_STATUS_ONLINE, StatusOffline: pb.World_STATUS_OFFLINE, StatusMismatch: pb.World_STATUS_MISMATCH,
	} {
		if int(ours) != int(theirs) {
			t.Errorf("%v is %d", theirs, ours)
		}
	}
}
