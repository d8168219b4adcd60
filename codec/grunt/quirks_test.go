package grunt

import (
	"bytes"
	"fmt"
	"testing"

	"gatepass/codec"
)

// One test for each known conflict of the protocol, and for each oddity of real clients and
// servers, that a codec can get wrong. Each test has the name of its case.

var layouts = []Layout{Layout2, Layout3, Layout5, Layout6, Layout8}

// mustBytes compares with hex digits.
func mustBytes(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if !bytes.Equal(got, mustHex(t, want)) {
		t.Errorf("%s: %x, want %s", what, got, want)
	}
}

// refusalOf returns a refusing reply.
func refusalOf(kind codec.ReplyKind, r codec.Result) *codec.Reply {
	return &codec.Reply{Kind: kind, Result: r}
}

func TestVersionByteDecidesNothing(t *testing.T) {
	for _, version := range []byte{0, 2, 3, 8, 255} { // wowser and tentacli, 1.12, Gophercraft
		for _, build := range []Build{Build1121, Build335} {
			b := challengeBytes(t, codec.KindLogonChallenge, build)
			b[1] = version
			s := New(Options{}).Open()
			m := mustDecode(t, s, b)
			if s.Layout() != LayoutOf(build) || m.Hello.Version != version {
				t.Errorf("version %d, build %d: layout %v, told %d", version, build, s.Layout(), m.Hello.Version)
			}
		}
	}
}

func TestUnknownOpcodeEndsTheConnectionInsteadOfBeingSkipped(t *testing.T) {
	b := append([]byte{0x77}, challengeBytes(t, codec.KindLogonChallenge, Build335)...)
	mustViolate(t, New(Options{}).Open(), b)
}

func TestAfterARefusalNothingMayCome(t *testing.T) {
	for _, kind := range []codec.ReplyKind{codec.ReplyLogonChallenge, codec.ReplyLogonProof} {
		s := mustOpen(t, Build335, kind == codec.ReplyLogonProof)
		mustAppend(t, s, refusalOf(kind, codec.ResultBadCredentials))
		mustViolate(t, s, challengeBytes(t, codec.KindLogonChallenge, Build335))
		mustViolate(t, s, proofBytes(t, Layout8, 0))
		mustViolate(t, s, AppendRealmListRequest(nil))
	}
}

func TestBannedAddressCanBeToldBeforeItSpeaks(t *testing.T) {
	s := New(Options{}).Open()
	mustBytes(t, "ban", mustAppend(t, s, refusalOf(codec.ReplyLogonChallenge, codec.ResultBanned)), "000003")
}

func TestTokenMayComeInAnotherSegment(t *testing.T) {
	proof := proofBytes(t, Layout8, codec.FactorToken)
	for n := 74; n < len(proof); n++ { // from the end of the fixed part on
		s := mustOpen(t, Build335, false)
		var m codec.Message
		if got, err := s.Decode(proof[:n:n], &m); got != 0 || err != codec.ErrShort {
			t.Errorf("%d of %d bytes: %d, %v", n, len(proof), got, err)
		}
		m = mustDecode(t, s, proof)
		if token := string(m.Proof.Token[:m.Proof.TokenLen]); token != "123456" {
			t.Errorf("token %q", token)
		}
	}
}

func TestSixteenCharactersCanBeMoreBytesAndAreRefused(t *testing.T) {
	b := challengeBytes(t, codec.KindLogonChallenge, Build335)
	name := "ÄÖÜÄÖÜÄÖÜ" // 9 characters, 18 bytes
	b = append(b[:33:33], byte(len(name)))
	b = append(b, name...)
	b[2] = byte(30 + len(name))
	s := New(Options{}).Open()
	mustBytes(t, "answer", s.AppendViolation(nil, mustViolate(t, s, b)), "000004")
}

func TestNamesAreNotFoldedHere(t *testing.T) {
	b := challengeBytes(t, codec.KindLogonChallenge, Build335)
	copy(b[34:], "pl yÄ") // lower case, a space, UTF-8: the storage checks names
	if m := mustDecode(t, New(Options{}).Open(), b); m.Hello.Name.String() != "pl yÄ" {
		t.Errorf("name %q", m.Hello.Name)
	}
}

func TestWrongPasswordIsNever05(t *testing.T) {
	for _, l := range layouts {
		if got := AppendProofReply(nil, l, refusalOf(codec.ReplyLogonProof, codec.ResultBadCredentials)); got[1] != 4 {
			t.Errorf("%v: %x", l, got)
		}
	}
}

func TestWrongPasswordFor1xIsExactlyTwoBytes(t *testing.T) {
	for _, build := range []Build{4125, 5428, Build1121, 6005, 6141, 6298} { // 1.12.3 too, unlike elsewhere
		s := mustOpen(t, build, true)
		got := mustAppend(t, s, refusalOf(codec.ReplyLogonProof, codec.ResultBadCredentials))
		mustBytes(t, fmt.Sprint("build ", build), got, "0104")
	}
}

func TestConflict_RefusedProofFromV5OnHasATailOfThree(t *testing.T) {
	for _, build := range []Build{6299, 6320, 7799, Build243, Build335} {
		s := mustOpen(t, build, true)
		got := mustAppend(t, s, refusalOf(codec.ReplyLogonProof, codec.ResultSuspended))
		mustBytes(t, fmt.Sprint("build ", build), got, "010c0300")
	}
}

func TestConflict_RefusedProofOfV5To7IsReadWithAndWithoutTail(t *testing.T) {
	for _, l := range []Layout{Layout5, Layout6} {
		for b, want := range map[string]int{"0104": 2, "01040000": 4, "01040300": 4} {
			r, n, err := ParseProofReply(mustHex(t, b), l)
			if n != want || err != nil || r.Result != codec.ResultBadCredentials {
				t.Errorf("%v, %s: %v, %d, %v", l, b, r.Result, n, err)
			}
		}
	}
}

func TestVersionResultsOfAProofAreTwoBytesForAll(t *testing.T) {
	for _, l := range layouts {
		mustBytes(t, l.String(), AppendProofReply(nil, l, refusalOf(codec.ReplyLogonProof, codec.ResultVersionInvalid)), "0109")
		mustBytes(t, l.String(), AppendProofReply(nil, l, refusalOf(codec.ReplyLogonProof, codec.ResultVersionUpdate)), "010a")
		offer := AppendTransferOffer([]byte{0x01, 0x0a}, &codec.TransferOffer{}) // follows at once
		if r, n, err := ParseProofReply(offer, l); n != 2 || err != nil || r.Result != codec.ResultVersionUpdate {
			t.Errorf("%v: %v, %d bytes, %v", l, r.Result, n, err)
		}
	}
}

func TestLockedIsBusyFor1xAndTenLater(t *testing.T) {
	for _, l := range layouts {
		want := "000010"
		if l < Layout5 {
			want = "000008"
		}
		got, err := AppendChallengeReply(nil, l, refusalOf(codec.ReplyLogonChallenge, codec.ResultLocked))
		if err != nil {
			t.Fatal(err)
		}
		mustBytes(t, l.String(), got, want)
	}
}

func TestCodesFromTenOnAreNotFor1x(t *testing.T) {
	for r := range codec.ResultCount {
		for _, l := range []Layout{Layout2, Layout3} {
			if c := CodeOf(r, l); c > CodeParentalControl {
				t.Errorf("%v: %v", r, c)
			}
		}
	}
}

func TestAProofMayBeAnsweredInTheShapeOfAChallenge(t *testing.T) {
	s := mustOpen(t, Build335, true)
	mustBytes(t, "version", mustAppend(t, s, refusalOf(codec.ReplyLogonChallenge, codec.ResultVersionInvalid)), "000009")
}

func TestSuccessHas26Or28Or32Bytes(t *testing.T) {
	r := codec.Reply{AccountFlags: 0x00800000, SurveyID: 0x0a0b0c0d, LoginFlags: 1}
	tails := map[Layout]string{
		Layout2: "0d0c0b0a", // the u32 behind M2 is the survey id
		Layout3: "0d0c0b0a",
		Layout5: "0d0c0b0a0100",
		Layout6: "0d0c0b0a0100",
		Layout8: "000080000d0c0b0a0100", // account flags come before it
	}
	for l, tail := range tails {
		b := AppendProofReply(nil, l, &r)
		mustBytes(t, l.String(), b[22:], tail)
	}
}

func TestConflict_SurveySuccessOfAProofIsNotGuessedAt(t *testing.T) {
	for _, l := range layouts {
		if _, n, err := ParseProofReply(append([]byte{0x01, 0x0e}, make([]byte, 40)...), l); n != 0 || err != badProofCode {
			t.Errorf("%v: %d, %v", l, n, err)
		}
		if _, n, err := ParseChallengeReply([]byte{0x00, 0x00, 0x0e}, l); n != 0 || err != badChallengeCode {
			t.Errorf("%v: %d, %v", l, n, err)
		}
	}
}

func TestReconnectChallengeReplyHasNoZeroBeforeItsResult(t *testing.T) {
	for _, l := range layouts {
		r := codec.Reply{ReconnectData: [16]byte{0xaa}}
		b := AppendReconnectChallengeReply(nil, l, &r)
		mustBytes(t, l.String(), b[:3], "0200aa")
		if len(b) != 34 || !bytes.Equal(b[18:], make([]byte, 16)) {
			t.Errorf("%v: %x", l, b)
		}
		mustBytes(t, l.String(), AppendReconnectChallengeReply(nil, l, refusalOf(0, codec.ResultBadCredentials)), "0204")
	}
}

func TestConflict_ReconnectProofReplyIsTwoBytesFor1xAndFourLater(t *testing.T) {
	for _, build := range []Build{4125, Build1121, 6005, 6141, 6180, 6298, 6299, Build243, Build335} {
		s := New(Options{}).Open()
		mustDecode(t, s, challengeBytes(t, codec.KindReconnectChallenge, build))
		want := "0300"
		if build >= 6299 {
			want = "03000000"
		}
		if s.Layout() != ReconnectLayoutOf(build) {
			t.Errorf("build %d: %v", build, s.Layout())
		}
		got := mustAppend(t, s, &codec.Reply{Kind: codec.ReplyReconnectProof})
		mustBytes(t, fmt.Sprint("build ", build), got, want)
	}
}

func TestReconnectMayOpenAConnection(t *testing.T) {
	s := New(Options{}).Open() // 1.1.2 comes back like this instead of asking for the list
	mustDecode(t, s, challengeBytes(t, codec.KindReconnectChallenge, 4125))
	mustDecode(t, s, AppendReconnectProof(nil, &codec.Reconnect{}))
	mustDecode(t, s, AppendRealmListRequest(nil))
}

func TestPaddingAtTheWrongEndOfATag(t *testing.T) {
	b := challengeBytes(t, codec.KindLogonChallenge, Build1121)
	copy(b[4:], "Wow ")        // wowser's game tag
	copy(b[13:], "\x00"+"68x") // and its platform, zero first
	m := mustDecode(t, New(Options{}).Open(), b)
	if m.Hello.Platform != (codec.Tag{'x', '8', '6'}) {
		t.Errorf("platform %q", m.Hello.Platform)
	}
	if m.Hello.Locale.String() != "enGB" {
		t.Errorf("locale %q", m.Hello.Locale)
	}
}

func TestAnyTagsZoneAndAddressAreTaken(t *testing.T) {
	b := challengeBytes(t, codec.KindLogonChallenge, Build335)
	for i := 4; i < 8; i++ {
		b[i] = 0xff
	}
	for i := 13; i < 33; i++ {
		b[i] = 0xff
	}
	if m := mustDecode(t, New(Options{}).Open(), b); m.Hello.TimeZone != -1 {
		t.Errorf("zone %d", m.Hello.TimeZone)
	}
}

func TestOfferedFileIsCalledExactlyPatch(t *testing.T) {
	b := AppendTransferOffer(nil, &codec.TransferOffer{Size: 1})
	mustBytes(t, "offer", b[:7], "30055061746368")
	if len(b) != 31 {
		t.Errorf("%d bytes", len(b))
	}
	for _, name := range []string{"Survey", "Patch\x00", "patch", "PATCH", ""} {
		bad := append([]byte{0x30, byte(len(name))}, name...)
		if _, n, err := ParseTransferOffer(append(bad, make([]byte, 24)...)); n != 0 || err != badFileName {
			t.Errorf("%q: %d, %v", name, n, err)
		}
	}
}

func TestConflict_NoticeOfAPatchWorksAtBothStages(t *testing.T) {
	for _, kind := range []codec.ReplyKind{codec.ReplyLogonChallenge, codec.ReplyLogonProof} {
		s := mustOpen(t, Build335, kind == codec.ReplyLogonProof)
		mustAppend(t, s, refusalOf(kind, codec.ResultVersionUpdate))
		mustViolate(t, s, AppendTransferAccept(nil)) // nothing is offered yet
		mustAppend(t, s, &codec.Reply{Kind: codec.ReplyTransferOffer})
		m := mustDecode(t, s, AppendTransferAccept(nil))
		if m.Kind != codec.KindTransferAccept {
			t.Errorf("after %v: %v", kind, m.Kind)
		}
		mustViolate(t, s, AppendRealmListRequest(nil))
		mustViolate(t, s, AppendTransferResume(nil, 1)) // the file is taken already
		if m := mustDecode(t, s, AppendTransferCancel(nil)); m.Kind != codec.KindTransferCancel {
			t.Errorf("while sending: %v", m.Kind)
		}
	}
}

func TestResumeOffsetIsNotJudgedHere(t *testing.T) {
	s := mustOpen(t, Build335, true)
	if m := mustDecode(t, s, AppendTransferResume(nil, 1<<63)); m.Number != 1<<63 {
		t.Errorf("offset %d", m.Number)
	}
}

func TestConflict_SurveyWithAnErrorStillHasLengthAndData(t *testing.T) {
	b := mustHex(t, "04010000000505")
	if _, _, err := ParseSurveyResult(b, 100); err != codec.ErrShort {
		t.Errorf("without a length: %v", err)
	}
	s, n, err := ParseSurveyResult(append(b, 0, 1, 2, 3, 4, 5), 100)
	if n != 13 || err != nil || s.Error != 5 || len(s.Data) != 5 {
		t.Errorf("%+v, %d, %v", s, n, err)
	}
}

func TestOnlyTheWellKnownGroupIsTaken(t *testing.T) {
	good, err := AppendChallengeReply(nil, Layout8, &codec.Reply{})
	if err != nil {
		t.Fatal(err)
	}
	for at, what := range map[int]string{35: "g length", 36: "g", 37: "N length", 38: "N", 69: "N's last byte"} {
		bad := bytes.Clone(good)
		bad[at] ^= 0x80
		if _, n, err := ParseChallengeReply(bad, Layout8); n != 0 || err != badGroup {
			t.Errorf("other %s: %d, %v", what, n, err)
		}
	}
}

func TestChallengeReplyOfAnotherShapeIsNotTaken(t *testing.T) {
	if _, n, err := ParseChallengeReply([]byte{0x00, 0x01}, Layout8); n != 0 || err != badReserved {
		t.Errorf("second byte 1: %d, %v", n, err)
	}
	for _, l := range layouts[1:] {
		b, err := AppendChallengeReply(nil, l, &codec.Reply{})
		if err != nil {
			t.Fatal(err)
		}
		b[118] = byte(l.Factors()) + 1
		if _, n, err := ParseChallengeReply(b, l); n != 0 || err != badReplyFlags {
			t.Errorf("%v, unknown flag: %d, %v", l, n, err)
		}
	}
}

func TestSecondFactorsByLayout(t *testing.T) {
	for _, l := range layouts {
		for f := codec.Factors(0); f < 16; f++ {
			known := f&^l.Factors() == 0
			_, err := AppendChallengeReply(nil, l, &codec.Reply{Challenge: codec.Challenge{Factors: f}})
			if (err == nil) != known || err != nil && err != ErrFactor {
				t.Errorf("%v, asking for %d: %v", l, f, err)
			}
			p := Proof{Proof: codec.Proof{Factors: f}}
			if _, err := AppendProof(nil, l, &p); (err == nil) != known || err != nil && err != ErrFactor {
				t.Errorf("%v, answering %d: %v", l, f, err)
			}
			if !l.hasFlags() {
				continue
			}
			b := proofBytes(t, l, 0)
			b[74] = byte(f)
			if _, _, err := ParseProof(b, l); (err != badFlags) != known {
				t.Errorf("%v, reading %d: %v", l, f, err)
			}
		}
	}
}
