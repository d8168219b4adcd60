package native

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// said is one message of a client: as generated code writes it, and as the parser returns it.
type said struct {
	name  string
	at    func(t testing.TB) (server, *Direction) // a session that expects it; sealed under the direction, if any
	frame proto.Message
	want  codec.Message
}

func atStart(testing.TB) (server, *Direction)      { return New(Options{}).Open(), nil }
func atPassword(t testing.TB) (server, *Direction) { return toPassword(t), nil }
func atOpen(t testing.TB) (server, *Direction)     { s, send, _ := mustOpen(t); return s, send }
func atPass(t testing.TB) (server, *Direction)     { return toPass(t), nil }
func atOpenGate(t testing.TB) (server, *Direction) { s, send, _ := mustOpenGate(t); return s, send }

func atToken(t testing.TB) (server, *Direction) {
	s := New(Options{}).Open()
	in := signIn()
	in.TokenFamily = seq(0x50, 16)
	mustDecode(t, s, inClear(mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: in}})))
	mustAppend(t, s, codec.Reply{Kind: codec.ReplyTokenChallenge, Native: &codec.NativeReply{}})
	return s, nil
}

// Transcripts are not compared here; docs_test.go computes them independently.
func withoutTranscript(w *codec.NativeMessage) *codec.NativeMessage {
	if w == nil {
		return nil
	}
	c := *w
	c.Transcript, c.After = [32]byte{}, [32]byte{}
	return &c
}

func name(s string) codec.Name { n, _ := codec.NameOf(s); return n }

func tag(s string) (t codec.Tag) { copy(t[:], s); return t }

// saids returns all messages of clients.
func saids() []said {
	hello := codec.Hello{Name: name("player"), Build: 12340, Version: 1, Platform: tag("x64"), System: tag("Lin"), Locale: tag("enUS")}
	byToken := signIn()
	byToken.TokenFamily = seq(0x50, 16)
	updatable := signIn()
	updatable.TakesUpdates = true
	in := func(b *pb.ClientFrame) proto.Message { return b }
	return []said{
		{"SignIn", atStart, in(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: signIn()}}),
			codec.Message{Kind: codec.KindSignIn, Hello: hello, Native: &codec.NativeMessage{
				Nonce: [32]byte(seq(0x10, 32)), Device: [16]byte(seq(0x40, 16))}}},
		{"SignIn by token", atStart, in(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: byToken}}),
			codec.Message{Kind: codec.KindSignIn, Hello: hello, Native: &codec.NativeMessage{
				Nonce: [32]byte(seq(0x10, 32)), Device: [16]byte(seq(0x40, 16)), ByToken: true, Family: [16]byte(seq(0x50, 16))}}},
		{"SignIn that takes updates", atStart, in(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: updatable}}),
			codec.Message{Kind: codec.KindSignIn, Hello: hello, Native: &codec.NativeMessage{
				Nonce: [32]byte(seq(0x10, 32)), Device: [16]byte(seq(0x40, 16)), TakesUpdates: true}}},
		{"PasswordProof", atPassword, in(&pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{
			PasswordProof: &pb.PasswordProof{PublicKey: seq(1, 384), Proof: seq(3, 32)}}}),
			codec.Message{Kind: codec.KindPasswordProof, Native: &codec.NativeMessage{PublicKey: seq(1, 384), Proof: [32]byte(seq(3, 32))}}},
		{"TokenProof", atToken, in(&pb.ClientFrame{Body: &pb.ClientFrame_TokenProof{TokenProof: &pb.TokenProof{Sealed: seq(9, 112)}}}),
			codec.Message{Kind: codec.KindTokenProof, Native: &codec.NativeMessage{Sealed: [112]byte(seq(9, 112))}}},
		{"FactorCode", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_FactorCode{FactorCode: &pb.FactorCode{Code: "123456"}}}),
			codec.Message{Kind: codec.KindFactorCode, Native: &codec.NativeMessage{Text: "123456"}}},
		{"RememberDevice", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{
			RememberDevice: &pb.RememberDevice{Name: "the old laptop", Verifier: seq(5, 32)}}}),
			codec.Message{Kind: codec.KindRememberDevice, Native: &codec.NativeMessage{Text: "the old laptop", Proof: [32]byte(seq(5, 32))}}},
		{"ForgetDevice", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_ForgetDevice{ForgetDevice: &pb.ForgetDevice{}}}),
			codec.Message{Kind: codec.KindForgetDevice}},
		{"SelectWorld", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: &pb.SelectWorld{World: 255}}}),
			codec.Message{Kind: codec.KindSelectWorld, Number: 255}},
		{"ReleaseWorld", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_ReleaseWorld{ReleaseWorld: &pb.ReleaseWorld{}}}),
			codec.Message{Kind: codec.KindReleaseWorld}},
		{"Ping", atOpen, in(ping(1 << 60)), codec.Message{Kind: codec.KindPing, Number: 1 << 60}},
		{"AcceptUpdate", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{AcceptUpdate: &pb.AcceptUpdate{Offset: 5 << 30, Window: 1 << 20}}}),
			codec.Message{Kind: codec.KindTransferResume, Number: 5 << 30, Window: 1 << 20}},
		{"AcceptUpdate, from the start", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{AcceptUpdate: &pb.AcceptUpdate{}}}),
			codec.Message{Kind: codec.KindTransferResume, Window: MinUpdateWindow}},
		{"UpdateReceived", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_UpdateReceived{UpdateReceived: &pb.UpdateReceived{Offset: 1<<64 - 1}}}),
			codec.Message{Kind: codec.KindTransferAck, Number: 1<<64 - 1}},
		{"CancelUpdate", atOpen, in(&pb.ClientFrame{Body: &pb.ClientFrame_CancelUpdate{CancelUpdate: &pb.CancelUpdate{}}}),
			codec.Message{Kind: codec.KindTransferCancel}},
		{"GateHello", atPass, gateHello, codec.Message{Kind: codec.KindGateHello, Hello: codec.Hello{Build: 12340}, Native: &codec.NativeMessage{
			Pass: [16]byte(seq(1, 16)), Nonce: [32]byte(seq(0x20, 32)), Proof: [32]byte(seq(0x60, 32))}}},
		{"gate Ping", atOpenGate, &pb.GateClientFrame{Body: &pb.GateClientFrame_Ping{Ping: &pb.Ping{Number: 3}}},
			codec.Message{Kind: codec.KindPing, Number: 3}},
		{"gate GamePacket", atOpenGate, &pb.GateClientFrame{Body: &pb.GateClientFrame_Packet{Packet: &pb.GamePacket{Opcode: 0xFFFF, Body: seq(1, 5)}}},
			codec.Message{Kind: codec.KindGamePacket, Native: &codec.NativeMessage{Opcode: 0xFFFF, Body: seq(1, 5)}}},
		{"gate GamePacket, empty", atOpenGate, &pb.GateClientFrame{Body: &pb.GateClientFrame_Packet{Packet: &pb.GamePacket{}}},
			codec.Message{Kind: codec.KindGamePacket, Native: &codec.NativeMessage{}}},
	}
}

// told is one message of a server: the reply to encode, and the bytes that generated code
// writes for it. Its body does not depend on the connection.
type told struct {
	name  string
	reply codec.Reply
	frame proto.Message
}

// someUpdate has two chunks, the second of one byte.
var someUpdate = &codec.UpdateOffer{From: 5875, To: 6005, SHA256: [32]byte(seq(7, 32)), ChunkSize: 4 << 20, Hashes: seq(8, 64),
	Name: "5875-6005.bin", Steps: 2, Total: 9 << 32}

// tolds returns all messages of a login server, except lists of worlds and pieces of files.
func tolds() []told {
	f := func(name string, kind codec.ReplyKind, r codec.Reply, w *pb.ServerFrame) told {
		r.Kind = kind
		return told{name, r, w}
	}
	n := func(w codec.NativeReply) codec.Reply { return codec.Reply{Native: &w} }
	return []told{
		f("PasswordChallenge", codec.ReplyPasswordChallenge, n(codec.NativeReply{Nonce: [32]byte(seq(1, 32)), Group: 2048,
			Salt: [32]byte(seq(2, 32)), Memory: 19456, Passes: 2, Lanes: 1, PublicKey: seq(3, 256)}),
			&pb.ServerFrame{Body: &pb.ServerFrame_PasswordChallenge{PasswordChallenge: &pb.PasswordChallenge{Nonce: seq(1, 32), Group: 2048,
				Salt: seq(2, 32), Kdf: &pb.Argon2Id{MemoryKib: 19456, Passes: 2, Lanes: 1}, PublicKey: seq(3, 256)}}}),
		f("TokenChallenge", codec.ReplyTokenChallenge, n(codec.NativeReply{Nonce: [32]byte(seq(1, 32))}),
			&pb.ServerFrame{Body: &pb.ServerFrame_TokenChallenge{TokenChallenge: &pb.TokenChallenge{Nonce: seq(1, 32)}}}),
		f("Accepted", codec.ReplyAccepted, n(codec.NativeReply{Proof: [32]byte(seq(8, 32))}),
			&pb.ServerFrame{Body: &pb.ServerFrame_Accepted{Accepted: &pb.Accepted{Proof: seq(8, 32)}}}),
		f("Refused", codec.ReplyRefused, codec.Reply{Result: codec.ResultBusy, Number: 30000},
			&pb.ServerFrame{Body: &pb.ServerFrame_Refused{Refused: &pb.Refused{Result: pb.Result_RESULT_BUSY, RetryAfterMs: 30000}}}),
		f("FactorWanted", codec.ReplyFactorWanted, codec.Reply{Factors: codec.FactorToken},
			&pb.ServerFrame{Body: &pb.ServerFrame_FactorWanted{FactorWanted: &pb.FactorWanted{Factor: pb.Factor_FACTOR_TOTP}}}),
		f("FactorWanted, PIN", codec.ReplyFactorWanted, codec.Reply{Factors: codec.FactorPIN},
			&pb.ServerFrame{Body: &pb.ServerFrame_FactorWanted{FactorWanted: &pb.FactorWanted{Factor: pb.Factor_FACTOR_PIN}}}),
		f("Welcome", codec.ReplyWelcome, n(codec.NativeReply{PingEvery: 20000, Remembers: true}),
			&pb.ServerFrame{Body: &pb.ServerFrame_Welcome{Welcome: &pb.Welcome{PingEveryMs: 20000, Remembers: true}}}),
		f("Remembered", codec.ReplyRemembered, n(codec.NativeReply{Family: [16]byte(seq(1, 16)), Key: [32]byte(seq(2, 32)), Expires: 1893456000}),
			&pb.ServerFrame{Body: &pb.ServerFrame_Remembered{Remembered: &pb.Remembered{Family: seq(1, 16), Key: seq(2, 32), Expires: 1893456000}}}),
		f("Characters", codec.ReplyCharacters, n(codec.NativeReply{Counts: []codec.CharacterCount{{World: 1, Count: 9}, {World: 200, Count: 1}}}),
			&pb.ServerFrame{Body: &pb.ServerFrame_Characters{Characters: &pb.Characters{
				Counts: []*pb.Characters_Count{{World: 1, Count: 9}, {World: 200, Count: 1}}}}}),
		f("PassIssued", codec.ReplyPassIssued, codec.Reply{Number: 7, Native: &codec.NativeReply{
			Address: "gate7.example:8185", Pass: [16]byte(seq(1, 16)), Validity: 60000}},
			&pb.ServerFrame{Body: &pb.ServerFrame_PassIssued{PassIssued: &pb.PassIssued{World: 7,
				Address: "gate7.example:8185", Pass: seq(1, 16), ValidityMs: 60000}}}),
		f("SelectRefused", codec.ReplySelectRefused, codec.Reply{Number: 7, Native: &codec.NativeReply{
			Reason: codec.SelectFull, Alternatives: []uint8{3, 200, 1}}},
			&pb.ServerFrame{Body: &pb.ServerFrame_SelectRefused{SelectRefused: &pb.SelectRefused{World: 7,
				Reason: pb.SelectRefused_REASON_FULL, Alternatives: []uint32{3, 200, 1}}}}),
		f("WorldReleased", codec.ReplyWorldReleased, codec.Reply{},
			&pb.ServerFrame{Body: &pb.ServerFrame_WorldReleased{WorldReleased: &pb.WorldReleased{}}}),
		f("QueuePosition", codec.ReplyQueuePosition, codec.Reply{Number: 300},
			&pb.ServerFrame{Body: &pb.ServerFrame_QueuePosition{QueuePosition: &pb.QueuePosition{Position: 300}}}),
		f("Entered", codec.ReplyEntered, codec.Reply{Number: 7},
			&pb.ServerFrame{Body: &pb.ServerFrame_Entered{Entered: &pb.Entered{World: 7}}}),
		f("Notice", codec.ReplyNotice, n(codec.NativeReply{Text: "Down for an hour at noon — läuft."}),
			&pb.ServerFrame{Body: &pb.ServerFrame_Notice{Notice: &pb.Notice{Text: "Down for an hour at noon — läuft."}}}),
		f("UpdateOffered", codec.ReplyTransferOffer, codec.Reply{Offer: codec.TransferOffer{Size: 5<<20 + 1}, Native: &codec.NativeReply{Update: someUpdate}},
			&pb.ServerFrame{Body: &pb.ServerFrame_UpdateOffered{UpdateOffered: &pb.UpdateOffered{FromBuild: 5875, ToBuild: 6005, Size: 5<<20 + 1,
				Sha256: seq(7, 32), ChunkSize: 4 << 20, ChunkHashes: seq(8, 64), Name: "5875-6005.bin", Steps: 2, Total: 9 << 32}}}),
		f("UpdateQueued", codec.ReplyTransferQueued, codec.Reply{Number: 300},
			&pb.ServerFrame{Body: &pb.ServerFrame_UpdateQueued{UpdateQueued: &pb.UpdateQueued{Position: 300}}}),
		f("UpdateSent", codec.ReplyTransferDone, codec.Reply{},
			&pb.ServerFrame{Body: &pb.ServerFrame_UpdateSent{UpdateSent: &pb.UpdateSent{}}}),
		f("UpdateFailed", codec.ReplyTransferFailed, codec.Reply{Ended: codec.TransferChanged},
			&pb.ServerFrame{Body: &pb.ServerFrame_UpdateFailed{UpdateFailed: &pb.UpdateFailed{Reason: pb.UpdateFailed_REASON_CHANGED}}}),
		f("Kicked", codec.ReplyKicked, codec.Reply{Result: codec.ResultReplaced},
			&pb.ServerFrame{Body: &pb.ServerFrame_Kicked{Kicked: &pb.Kicked{Result: pb.Result_RESULT_REPLACED}}}),
		f("GoingAway", codec.ReplyGoingAway, codec.Reply{Number: 4711},
			&pb.ServerFrame{Body: &pb.ServerFrame_GoingAway{GoingAway: &pb.GoingAway{ReconnectAfterMs: 4711}}}),
		f("Pong", codec.ReplyPong, codec.Reply{Number: 1 << 60},
			&pb.ServerFrame{Body: &pb.ServerFrame_Pong{Pong: &pb.Pong{Number: 1 << 60}}}),
	}
}

// gateTolds returns all messages of a gate.
func gateTolds() []told {
	f := func(name string, kind codec.ReplyKind, r codec.Reply, w *pb.GateServerFrame) told {
		r.Kind = kind
		return told{"from gate " + name, r, w}
	}
	n := func(w codec.NativeReply) codec.Reply { return codec.Reply{Native: &w} }
	return []told{
		f("GateChallenge", codec.ReplyGateChallenge, n(codec.NativeReply{Nonce: [32]byte(seq(1, 32))}),
			&pb.GateServerFrame{Body: &pb.GateServerFrame_Challenge{Challenge: &pb.GateChallenge{Version: 1, World: testWorld, Nonce: seq(1, 32)}}}),
		f("GateAccepted", codec.ReplyGateAccepted, n(codec.NativeReply{Proof: [32]byte(seq(8, 32))}),
			&pb.GateServerFrame{Body: &pb.GateServerFrame_Accepted{Accepted: &pb.GateAccepted{Proof: seq(8, 32)}}}),
		f("Refused", codec.ReplyRefused, codec.Reply{Result: codec.ResultBadPass},
			&pb.GateServerFrame{Body: &pb.GateServerFrame_Refused{Refused: &pb.Refused{Result: pb.Result_RESULT_BAD_PASS}}}),
		f("QueuePosition", codec.ReplyQueuePosition, codec.Reply{Number: 1},
			&pb.GateServerFrame{Body: &pb.GateServerFrame_QueuePosition{QueuePosition: &pb.QueuePosition{Position: 1}}}),
		f("Entered", codec.ReplyEntered, codec.Reply{Number: testWorld},
			&pb.GateServerFrame{Body: &pb.GateServerFrame_Entered{Entered: &pb.Entered{World: testWorld}}}),
		f("GamePacket", codec.ReplyGamePacket, n(codec.NativeReply{Opcode: 500, Body: seq(1, 200)}),
			&pb.GateServerFrame{Body: &pb.GateServerFrame_Packet{Packet: &pb.GamePacket{Opcode: 500, Body: seq(1, 200)}}}),
		f("Kicked", codec.ReplyKicked, codec.Reply{Result: codec.ResultKicked},
			&pb.GateServerFrame{Body: &pb.GateServerFrame_Kicked{Kicked: &pb.Kicked{Result: pb.Result_RESULT_KICKED}}}),
		f("Pong", codec.ReplyPong, codec.Reply{Number: 3},
			&pb.GateServerFrame{Body: &pb.GateServerFrame_Pong{Pong: &pb.Pong{Number: 3}}}),
	}
}

func someWorlds() ([]World, []*pb.World) {
	return []World{
			{ID: 1, Name: "Alpha", Address: "192.0.2.7:8185", Kind: WorldPvP, Category: 3, Status: StatusOnline, Full: true, PopulationPercent: 190, Queue: 1200},
			{ID: 255, Name: "Ω", Kind: WorldPvE, Status: StatusOffline, Locked: true},
		}, []*pb.World{
			{Id: 1, Name: "Alpha", Address: "192.0.2.7:8185", Kind: pb.World_KIND_PVP, Category: 3, Status: pb.World_STATUS_ONLINE, Full: true, PopulationPercent: 190, Queue: 1200},
			{Id: 255, Name: "Ω", Kind: pb.World_KIND_PVE, Status: pb.World_STATUS_OFFLINE, Locked: true},
		}
}
