package grunt

import (
	"bytes"
	"testing"

	"gatepass/codec"
)

// lossless is a function that returns which bytes of a message are the same after parsing and
// writing, given both forms. It is nil if only a second round must change nothing.
type lossless func(was, is []byte) (equal bool)

func exactly(was, is []byte) bool { return bytes.Equal(was, is) }

// fuzzWire fuzzes one message. Whatever parses is written, and the result must parse and be
// written to the same bytes again. The message's golden rows are the seeds.
func fuzzWire(f *testing.F, name string, keeps lossless) {
	rows := goldenRows(f)
	for i := range rows {
		if r := &rows[i]; r.codec() == name {
			for _, version := range r.Versions {
				f.Add([]byte(r.Hex), uint16(buildOf[version]))
			}
		}
	}
	w := wires[name]
	f.Fuzz(func(t *testing.T, b []byte, build uint16) {
		was := b
		v, n := mustParseOrRefuse(t, w, b, Build(build))
		if n == 0 {
			return
		}
		is, err := w.append(v, Build(build))
		if err != nil {
			t.Fatalf("%x parsed but cannot be written: %v", was[:n], err)
		}
		if keeps != nil && !keeps(was[:n], is) {
			t.Errorf("%x written as %x", was[:n], is)
		}
		v, n = mustParseOrRefuse(t, w, is, Build(build))
		again, err := w.append(v, Build(build))
		if err != nil || n != len(is) || !bytes.Equal(again, is) {
			t.Errorf("%x in the second round %x, %v", is, again, err)
		}
	})
}

// mustParseOrRefuse parses and checks the parser's length and errors.
func mustParseOrRefuse(t *testing.T, w wire, b []byte, build Build) (any, int) {
	t.Helper()
	v, n, err := w.parse(b, build)
	_, violated := err.(*codec.Violation)
	switch {
	case err == nil && (n < 1 || n > len(b)):
		t.Fatalf("%d of %d bytes consumed", n, len(b))
	case err != nil && (n != 0 || err != codec.ErrShort && !violated):
		t.Fatalf("%d bytes consumed, %T %v", n, err, err)
	}
	return v, n
}

// exceptTags compares challenges except the game tag, which is not kept, and the other tags,
// whose padding moves to its usual place.
func exceptTags(was, is []byte) bool {
	return bytes.Equal(was[:4], is[:4]) && bytes.Equal(was[8:13], is[8:13]) && bytes.Equal(was[25:], is[25:])
}

func FuzzLogonChallenge(f *testing.F) { fuzzWire(f, "AUTH_LOGON_CHALLENGE"+toServer, exceptTags) }

func FuzzReconnectChallenge(f *testing.F) {
	fuzzWire(f, "AUTH_RECONNECT_CHALLENGE"+toServer, exceptTags)
}

func FuzzLogonChallengeReply(f *testing.F) {
	fuzzWire(f, "AUTH_LOGON_CHALLENGE"+toClient, func(was, is []byte) bool {
		end := len(was) - 1 // may be "token required", which is written as 1
		return was[2] != 0 || len(was) == len(is) && bytes.Equal(was[:end], is[:end])
	})
}

func FuzzLogonProof(f *testing.F) { fuzzWire(f, "AUTH_LOGON_PROOF"+toServer, exactly) }

func FuzzLogonProofReply(f *testing.F) {
	fuzzWire(f, "AUTH_LOGON_PROOF"+toClient, func(was, is []byte) bool {
		return was[1] != 0 || bytes.Equal(was, is)
	})
}

func FuzzReconnectChallengeReply(f *testing.F) {
	fuzzWire(f, "AUTH_RECONNECT_CHALLENGE"+toClient, func(was, is []byte) bool {
		return was[1] != 0 || len(was) == len(is) && bytes.Equal(was[:18], is[:18])
	})
}

func FuzzReconnectProof(f *testing.F) { fuzzWire(f, "AUTH_RECONNECT_PROOF"+toServer, exactly) }

func FuzzReconnectProofReply(f *testing.F) { fuzzWire(f, "AUTH_RECONNECT_PROOF"+toClient, nil) }

func FuzzRealmListRequest(f *testing.F) { fuzzWire(f, "REALM_LIST"+toServer, nil) }

func FuzzRealmList(f *testing.F) { fuzzWire(f, "REALM_LIST"+toClient, nil) }

func FuzzTransferOffer(f *testing.F) { fuzzWire(f, "XFER_INITIATE"+toClient, exactly) }

func FuzzTransferData(f *testing.F) { fuzzWire(f, "XFER_DATA"+toClient, exactly) }

func FuzzTransferAccept(f *testing.F) { fuzzWire(f, "XFER_ACCEPT"+toServer, exactly) }

func FuzzTransferResume(f *testing.F) { fuzzWire(f, "XFER_RESUME"+toServer, exactly) }

func FuzzTransferCancel(f *testing.F) { fuzzWire(f, "XFER_CANCEL"+toServer, exactly) }

func FuzzSurveyResult(f *testing.F) { fuzzWire(f, "SURVEY_RESULT"+toServer, exactly) }

// FuzzSession splits a stream in two ways. Both must have the same result.
func FuzzSession(f *testing.F) {
	for _, build := range []Build{4125, Build1121, 6299, Build243, Build335} {
		stream := challengeBytes(f, codec.KindLogonChallenge, build)
		stream = append(stream, proofBytes(f, LayoutOf(build), LayoutOf(build).Factors())...)
		stream = AppendTransferResume(AppendRealmListRequest(stream), 9)
		f.Add(stream, []byte{1, 3, 33, 70, 2})
		stream = challengeBytes(f, codec.KindReconnectChallenge, build)
		stream = AppendReconnectProof(stream, &codec.Reconnect{R1: [16]byte{1}})
		f.Add(AppendTransferAccept(stream), []byte{4, 30})
	}
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), []byte{1})
	f.Fuzz(func(t *testing.T, stream, cuts []byte) {
		mustAgree(t, decodeAll(t, cut(stream, cuts)), decodeAll(t, [][]byte{stream}))
	})
}
