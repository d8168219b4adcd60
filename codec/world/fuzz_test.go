package world

import (
	"bytes"
	"errors"
	"testing"

	"gatepass/codec"
)

// errNotWritten is for messages that are read but never written here.
var errNotWritten = errors.New("not written")

// fuzzMessage fuzzes one body. Whatever parses is written, to the same bytes if exact says so.
// The result must parse and be written to the same bytes again.
func fuzzMessage(f *testing.F, name string, exact func(body []byte, e Era) bool) {
	m := messages[name]
	f.Fuzz(func(t *testing.T, body []byte, era uint8) {
		e := eras[int(era)%len(eras)]
		v, err := m.parse(body, e)
		if err != nil {
			if !isViolation(err) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		is, err := m.append(v, e)
		if err == errNotWritten {
			return
		}
		if err != nil || exact(body, e) && !bytes.Equal(is, body) {
			t.Fatalf("%x written as %x, %v", body, is, err)
		}
		v, err = m.parse(is, e)
		if err != nil {
			t.Fatalf("%x was written and does not parse: %v", is, err)
		}
		if again, err := m.append(v, e); err != nil || !bytes.Equal(again, is) {
			t.Errorf("%x in the second round %x, %v", is, again, err)
		}
	})
}

func always([]byte, Era) bool { return true }

// addGolden seeds a fuzz test with the golden rows of its message.
func addGolden(f *testing.F, name string) {
	for _, g := range goldenRows(f) {
		if g.Message != name {
			continue
		}
		for i, e := range eras {
			for _, of := range g.Eras {
				if eraNamed[of] == e {
					f.Add(bytes.Clone(g.body(f, e)), uint8(i))
				}
			}
		}
	}
}

func FuzzAuthChallenge(f *testing.F) {
	addGolden(f, "SMSG_AUTH_CHALLENGE")
	fuzzMessage(f, "SMSG_AUTH_CHALLENGE", func(b []byte, e Era) bool { return e != Era335 || b[0] == 1 && b[1]|b[2]|b[3] == 0 })
}

func FuzzAuthSession(f *testing.F) {
	addGolden(f, "CMSG_AUTH_SESSION")
	// A missing list of add-ons is written as an empty one.
	fuzzMessage(f, "CMSG_AUTH_SESSION", func(b []byte, e Era) bool {
		a, _ := ParseAuthSession(b, e)
		return a.Addons != nil
	})
}

func FuzzAuthResponse(f *testing.F) {
	addGolden(f, "SMSG_AUTH_RESPONSE")
	fuzzMessage(f, "SMSG_AUTH_RESPONSE", always)
}

func FuzzCharEnum(f *testing.F) {
	f.Add(AppendEmptyCharEnum(nil), uint8(0))
	f.Add([]byte{2, 1, 2, 3}, uint8(1))
	fuzzMessage(f, "SMSG_CHAR_ENUM", always)
}

func FuzzPing(f *testing.F) {
	f.Add(AppendPing(nil, Ping{Sequence: 1, Latency: 60}), uint8(0))
	fuzzMessage(f, "CMSG_PING", always)
}

func FuzzPong(f *testing.F) {
	f.Add(AppendPong(nil, 1), uint8(0))
	fuzzMessage(f, "SMSG_PONG", always)
}

// FuzzSession splits the client's stream in two ways. Both must have the same result.
func FuzzSession(f *testing.F) {
	for i, e := range eras {
		stream, auth := conversation(f, e)
		f.Add(stream[:auth], stream[auth:], []byte{1, 3, 33, 70, 2}, uint8(i))
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{}, []byte{1}, uint8(0))
	f.Fuzz(func(t *testing.T, auth, stream, cuts []byte, era uint8) {
		e := eras[int(era)%len(eras)]
		mustAgree(t, decodeAll(t, e, cut(auth, cuts), cut(stream, cuts)), decodeAll(t, e, [][]byte{auth}, [][]byte{stream}))
	})
}

// FuzzClient does the same for the server's stream.
func FuzzClient(f *testing.F) {
	for i, e := range eras {
		s, _ := mustOpen(f, e)
		b := mustAppend(f, s, codec.ReplyWorldPacket, codec.WorldReply{Opcode: SMSGPong, Body: []byte{1, 2, 3, 4}})
		f.Add(append(b, b...), []byte{1, 2, 3}, uint8(i))
	}
	f.Fuzz(func(t *testing.T, stream, cuts []byte, era uint8) {
		e := eras[int(era)%len(eras)]
		got, gotErr := receiveAll(t, e, cut(stream, cuts))
		want, wantErr := receiveAll(t, e, [][]byte{stream})
		if gotErr != wantErr || !bytes.Equal(got, want) {
			t.Errorf("%x, %v\n%x, %v", got, gotErr, want, wantErr)
		}
	})
}
