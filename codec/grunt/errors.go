package grunt

import (
	"errors"

	"gatepass/codec"
)

// What a caller may ask to encode that the wire cannot say.
var (
	// ErrNoBuild: a success is to be sent to a client that never said its build.
	ErrNoBuild = errors.New("grunt: no challenge yet, so no layout")
	// ErrName: a challenge needs a name.
	ErrName = errors.New("grunt: empty account name")
	// ErrFactor: the layout has no field for one of the second factors.
	ErrFactor = errors.New("grunt: second factor unknown to this layout")
	// ErrToken: the token is longer than codec.MaxToken.
	ErrToken = errors.New("grunt: token too long")
	// ErrTelemetry: a proof counts its telemetry records in one byte.
	ErrTelemetry = errors.New("grunt: too many telemetry records")
	// ErrRealmText: a realm's name or address has a zero byte inside.
	ErrRealmText = errors.New("grunt: zero byte in a realm's name or address")
	// ErrRealmCount: 1.x counts realms in one byte.
	ErrRealmCount = errors.New("grunt: more realms than the layout can count")
	// ErrRealmListSize: the list's size field is a u16.
	ErrRealmListSize = errors.New("grunt: realm list longer than 65535 bytes")
	// ErrChunk: the size field of a data frame and of a survey answer is a u16.
	ErrChunk = errors.New("grunt: more than 65535 bytes in one frame")
)

// What a client may do wrong. The values are shared, so that a stranger's
// garbage costs no allocation, and never changed.
var (
	unexpected = opcodeViolations("opcode unknown or not expected now")

	badChallengeSize = challengeViolations("size fits no name of 1 to 16 bytes")
	badNameLength    = challengeViolations("name length differs from size - 30")
	badName          = challengeViolations("zero byte inside the name")

	badTelemetry      = refused(opLogonProof, "telemetry records are not taken")
	badFlags          = refused(opLogonProof, "security flag unknown to this client's layout")
	badToken          = refused(opLogonProof, "token longer than 16 bytes")
	badReconnectCount = refused(opReconnectProof, "telemetry records are not taken")
	badSurveySize     = silent(opSurveyResult, "survey answer too long")
)

// What a server may do wrong, for the client halves.
var (
	badReserved      = silent(opLogonChallenge, "second byte is not zero")
	badChallengeCode = silent(opLogonChallenge, "a success that no known client has a body for")
	badGroup         = silent(opLogonChallenge, "not the well-known g and N")
	badReplyFlags    = silent(opLogonChallenge, "security flag unknown to this layout")
	badProofCode     = silent(opLogonProof, "a success that no known client has a body for")
	badRealmList     = silent(opRealmList, "realms do not fill the list's size")
	badRealmType     = silent(opRealmList, "realm type above 255")
	badFileName      = silent(opTransferOffer, `file is not called "Patch"`)
)

// refused is a violation that is answered as a wrong password is: the peer
// learns no more than that, and its user the likeliest cause.
func refused(op byte, cause string) *codec.Violation {
	return &codec.Violation{Message: op, Result: codec.ResultBadCredentials, Cause: cause}
}

// silent is a violation for which the protocol has no answer.
func silent(op byte, cause string) *codec.Violation {
	return &codec.Violation{Message: op, Cause: cause}
}

// challengeViolations makes one violation for each challenge opcode, at its place.
func challengeViolations(cause string) (t [3]*codec.Violation) {
	for _, op := range [...]byte{opLogonChallenge, opReconnectChallenge} {
		t[op] = refused(op, cause)
	}
	return t
}

// opcodeViolations makes one violation for each byte that can be an opcode.
func opcodeViolations(cause string) (t [256]*codec.Violation) {
	for op := range t {
		t[op] = silent(byte(op), cause)
	}
	return t
}
