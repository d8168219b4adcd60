package grunt

import (
	"fmt"

	"gatepass/codec"
)

// Code is a result as sent on the wire.
type Code uint8

// The codes that every client knows.
const (
	CodeSuccess         Code = 0x00 // accepted
	CodeUnknown0        Code = 0x01 // "unable to connect"
	CodeUnknown1        Code = 0x02 // "unable to connect"
	CodeBanned          Code = 0x03 // account closed for good
	CodeUnknownAccount  Code = 0x04 // name or password wrong
	CodeWrongPassword   Code = 0x05 // never sent: after it 2.x clients refuse further tries
	CodeAlreadyOnline   Code = 0x06 // account in the game already
	CodeNoTime          Code = 0x07 // prepaid time used up
	CodeDBBusy          Code = 0x08 // try again later
	CodeVersionInvalid  Code = 0x09 // build not accepted, or files changed
	CodeVersionUpdate   Code = 0x0A // a patch follows
	CodeInvalidServer   Code = 0x0B // "unable to connect"
	CodeSuspended       Code = 0x0C // closed for a time
	CodeNoAccess        Code = 0x0D // "unable to connect"
	CodeSuccessSurvey   Code = 0x0E // accepted, a survey follows
	CodeParentalControl Code = 0x0F // blocked by parental controls
)

// The codes that came with 2.x (10) and 3.x (the rest).
const (
	CodeLocked             Code = 0x10 // locked by its owner
	CodeTrialEnded         Code = 0x11 // trial over
	CodeUseBattleNet       Code = 0x12 // account was merged
	CodeAntiIndulgence     Code = 0x13 // "unable to connect"
	CodeExpired            Code = 0x14 // "unable to connect"
	CodeNoGameAccount      Code = 0x15 // "unable to connect"
	CodeChargeback         Code = 0x16 // closed, a payment was reversed
	CodeIGRWithoutBNet     Code = 0x17 // internet café needs a merged account
	CodeGameAccountLocked  Code = 0x18 // access disabled for now
	CodeUnlockableLock     Code = 0x19 // locked, can be unlocked
	CodeConversionRequired Code = 0x20 // must be merged first; the numbers jump here
)

var codeNames = [CodeConversionRequired + 1]string{
	"SUCCESS", "FAIL_UNKNOWN0", "FAIL_UNKNOWN1", "FAIL_BANNED",
	"FAIL_UNKNOWN_ACCOUNT", "FAIL_INCORRECT_PASSWORD", "FAIL_ALREADY_ONLINE", "FAIL_NO_TIME",
	"FAIL_DB_BUSY", "FAIL_VERSION_INVALID", "FAIL_VERSION_UPDATE", "FAIL_INVALID_SERVER",
	"FAIL_SUSPENDED", "FAIL_NO_ACCESS", "SUCCESS_SURVEY", "FAIL_PARENTAL_CONTROL",
	"FAIL_LOCKED_ENFORCED", "FAIL_TRIAL_ENDED", "FAIL_USE_BATTLENET", "FAIL_ANTI_INDULGENCE",
	"FAIL_EXPIRED", "FAIL_NO_GAME_ACCOUNT", "FAIL_CHARGEBACK", "FAIL_IGR_WITHOUT_BNET",
	"FAIL_GAME_ACCOUNT_LOCKED", "FAIL_UNLOCKABLE_LOCK",
	CodeConversionRequired: "FAIL_CONVERSION_REQUIRED",
}

func (c Code) String() string {
	if int(c) < len(codeNames) && codeNames[c] != "" {
		return codeNames[c]
	}
	return fmt.Sprintf("code(%#02x)", uint8(c))
}

var codeOf = [codec.ResultCount]Code{
	codec.ResultOK:             CodeSuccess,
	codec.ResultBadCredentials: CodeUnknownAccount,
	codec.ResultBanned:         CodeBanned,
	codec.ResultSuspended:      CodeSuspended,
	codec.ResultLocked:         CodeLocked,
	codec.ResultAlreadyOnline:  CodeAlreadyOnline,
	codec.ResultVersionInvalid: CodeVersionInvalid,
	codec.ResultVersionUpdate:  CodeVersionUpdate,
	codec.ResultBusy:           CodeDBBusy,
	codec.ResultNoAccess:       CodeNoAccess,
	// Results of native clients only, with the closest codes.
	codec.ResultReplaced:  CodeAlreadyOnline,
	codec.ResultKicked:    CodeNoAccess,
	codec.ResultIdle:      CodeNoAccess,
	codec.ResultProtocol:  CodeNoAccess,
	codec.ResultGoingAway: CodeDBBusy,
	codec.ResultBadPass:   CodeNoAccess,
	codec.ResultFull:      CodeDBBusy,
}

// CodeOf returns the code of r for a client of layout l. 1.x has no codes above 0F, so it
// shows a locked account as "busy", as mangos does.
func CodeOf(r codec.Result, l Layout) Code {
	if r == codec.ResultLocked && l < Layout5 {
		return CodeDBBusy
	}
	return codeOf[r]
}

// Result returns the codec.Result of the code. It is ResultNoAccess for a refusal without a
// result of its own, and for an unknown code.
func (c Code) Result() codec.Result {
	switch c {
	case CodeSuccess, CodeSuccessSurvey:
		return codec.ResultOK
	case CodeWrongPassword:
		return codec.ResultBadCredentials
	case CodeUnlockableLock, CodeGameAccountLocked:
		return codec.ResultLocked
	}
	for r, known := range codeOf {
		if known == c {
			return codec.Result(r)
		}
	}
	return codec.ResultNoAccess
}
