package native

import (
	"math"

	"gatepass/codec"
)

// version is the version of the protocol.
const version = 1

var (
	badVersion = &codec.Violation{Message: byte(fieldSignIn), Result: codec.ResultVersionInvalid, Cause: "version of the protocol is not known"}
	// No account can have such a name; most likely a person has mistyped it.
	badName   = &codec.Violation{Message: byte(fieldSignIn), Result: codec.ResultBadCredentials, Cause: "account name empty, too long or with a zero byte"}
	badSignIn = wrong(byte(fieldSignIn), "field of a sign-in has the wrong size")
	badProof  = wrong(byte(fieldPasswordProof), "field of a password proof has the wrong size")
	badToken  = wrong(byte(fieldTokenProof), "token proof has the wrong size")
)

// takeSignIn: SignIn{version, account, nonce, build, platform, system, locale, device,
// token_family, takes_updates}.
func (s *Session) takeSignIn(f *fields, body []byte, m *codec.Message) error {
	if f.u32(1) != version {
		return badVersion
	}
	name, ok := codec.NameOf(f.bytes[2])
	if !ok {
		return badName
	}
	hello := codec.Hello{Name: name, Build: build(f.u32(4)), Version: version}
	if !fillTag(&hello.Platform, f.bytes[5]) || !fillTag(&hello.System, f.bytes[6]) || !fillTag(&hello.Locale, f.bytes[7]) {
		return badSignIn
	}
	w := &codec.NativeMessage{ByToken: len(f.bytes[9]) > 0, TakesUpdates: f.number[10] != 0}
	if !f.fill(w.Nonce[:], 3) || len(f.bytes[8]) > 0 && !f.fill(w.Device[:], 8) || w.ByToken && !f.fill(w.Family[:], 9) {
		return badSignIn
	}
	s.hear(body, false)
	s.phase = phaseGreeted
	m.Kind, m.Hello, m.Native = codec.KindSignIn, hello, w
	return nil
}

// build returns n, or 0, which no client has, if n is not a valid build. The logic decides
// about builds.
func build(n uint32) uint16 {
	if n > math.MaxUint16 {
		return 0
	}
	return uint16(n)
}

func fillTag(t *codec.Tag, b []byte) bool { return copy(t[:], b) == len(b) }

// takePasswordProof: PasswordProof{public_key, proof}. It does not check the key's length,
// because only the logic knows the account's group.
func (s *Session) takePasswordProof(f *fields, body []byte, m *codec.Message) error {
	w := &codec.NativeMessage{}
	switch len(f.bytes[1]) {
	case 2048 / 8, 3072 / 8, 4096 / 8:
	default:
		return badProof
	}
	if !f.fill(w.Proof[:], 2) {
		return badProof
	}
	w.PublicKey = append([]byte(nil), f.bytes[1]...)
	_, after := s.hear(body, true)
	w.Transcript, w.After = after, after
	m.Kind, m.Native = codec.KindPasswordProof, w
	return nil
}

// takeTokenProof: TokenProof{sealed}.
func (s *Session) takeTokenProof(f *fields, body []byte, m *codec.Message) error {
	w := &codec.NativeMessage{}
	if !f.fill(w.Sealed[:], 1) {
		return badToken
	}
	before, after := s.hear(body, true)
	w.Transcript, w.After = before, after
	m.Kind, m.Native = codec.KindTokenProof, w
	return nil
}

// appendPasswordChallenge: PasswordChallenge{nonce, group, salt, kdf, public_key}.
func appendPasswordChallenge(dst []byte, w *codec.NativeReply) []byte {
	dst, at := begin(dst, fieldPasswordChallenge)
	dst = appendBytes(dst, 1, w.Nonce[:])
	dst = appendNumber(dst, 2, uint64(w.Group))
	dst = appendBytes(dst, 3, w.Salt[:])
	dst, kdf := begin(dst, 4)
	dst = appendNumber(dst, 1, uint64(w.Memory))
	dst = appendNumber(dst, 2, uint64(w.Passes))
	dst = appendNumber(dst, 3, uint64(w.Lanes))
	dst = end(dst, kdf)
	dst = appendBytes(dst, 5, w.PublicKey)
	return end(dst, at)
}

// appendTokenChallenge: TokenChallenge{nonce}.
func appendTokenChallenge(dst []byte, w *codec.NativeReply) []byte {
	dst, at := begin(dst, fieldTokenChallenge)
	return end(appendBytes(dst, 1, w.Nonce[:]), at)
}
