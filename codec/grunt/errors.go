package grunt

import (
	"errors"

	"gatepass/codec"
)

// Errors of values that cannot be encoded.
var (
	// ErrNoBuild: the reply is a success, but the client has not sent its build.
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

// Violations of a client. The values are shared, so that invalid input causes no allocation,
// and must not be changed.
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

// Violations of a server, for the client functions.
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

// refused returns a violation that is answered like a wrong password. The peer learns nothing
// more, and its user sees the most likely cause.
func refused(op byte, cause string) *codec.Violation {
	return &codec.Violation{Message: op, Result: codec.ResultBadCredentials, Cause: cause}
}

// silent returns a violation for which the protocol has no answer.
func silent(op byte, cause string) *codec.Violation {
	return &codec.Violation{Message: op, Cause: cause}
}

// challengeViolations returns one violation for each challenge opcode, indexed by opcode.
func challengeViolations(cause string) (t [3]*codec.Violation) {
	for _, op := range [...]byte{opLogonChallenge, opReconnectChallenge} {
		t[op] = refused(op, cause)
	}
	return t
}

// opcodeViolations returns one violation for each possible opcode byte.
func opcodeViolations(cause string) (t [256]*codec.Violation) {
	for op := range t {
		t[op] = silent(byte(op), cause)
	}
	return t
}
