package world

import (
	"fmt"

	"gatepass/codec"
)

// The codes of SMSG_AUTH_RESPONSE (17.3), for codec.WorldReply.Code.
const (
	// CodeOK: accepted.
	CodeOK = 0x0C
	// CodeFailed: refused; the digest is wrong, or the account is locked to another address.
	CodeFailed = 0x0D
	// CodeReject: refused without a reason.
	CodeReject = 0x0E
	// CodeBadServerProof: the server could not prove itself.
	CodeBadServerProof = 0x0F
	// CodeUnavailable: the world is open only to staff.
	CodeUnavailable = 0x10
	// CodeSystemError: a fault of the server.
	CodeSystemError = 0x11
	// CodeBillingError and CodeBillingExpired: the account is not paid for.
	CodeBillingError   = 0x12
	CodeBillingExpired = 0x13
	// CodeVersionMismatch: this build is not accepted.
	CodeVersionMismatch = 0x14
	// CodeUnknownAccount: no account of that name has a session key here.
	CodeUnknownAccount = 0x15
	// CodeIncorrectPassword: the password was wrong.
	CodeIncorrectPassword = 0x16
	// CodeSessionExpired: the session key has expired.
	CodeSessionExpired = 0x17
	// CodeShuttingDown: the world is about to go down.
	CodeShuttingDown = 0x18
	// CodeAlreadyLoggingIn: another login of the account is in progress.
	CodeAlreadyLoggingIn = 0x19
	// CodeLoginServerNotFound: the login server does not answer.
	CodeLoginServerNotFound = 0x1A
	// CodeWaitQueue: the world is full; the position in the queue follows.
	CodeWaitQueue = 0x1B
	// CodeBanned: the account or address is closed permanently.
	CodeBanned = 0x1C
	// CodeAlreadyOnline: the account is in the world.
	CodeAlreadyOnline = 0x1D
	// CodeNoTime: the account has no playing time left.
	CodeNoTime = 0x1E
	// CodeDBBusy: try again later.
	CodeDBBusy = 0x1F
	// CodeSuspended: the account is closed temporarily.
	CodeSuspended = 0x20
	// CodeParentalControl: parental controls forbid playing at this hour.
	CodeParentalControl = 0x21
	// CodeLocked: the account is locked by its owner; from 2.x on.
	CodeLocked = 0x22
)

var codeNames = [...]string{
	"ok", "failed", "reject", "bad-server-proof", "unavailable", "system-error", "billing-error",
	"billing-expired", "version-mismatch", "unknown-account", "incorrect-password", "session-expired",
	"shutting-down", "already-logging-in", "login-server-not-found", "wait-queue", "banned",
	"already-online", "no-time", "db-busy", "suspended", "parental-control", "locked",
}

// CodeName returns the name of a code, for logs and metrics.
func CodeName(code uint8) string {
	if i := int(code) - CodeOK; i >= 0 && i < len(codeNames) {
		return codeNames[i]
	}
	return fmt.Sprintf("code(%d)", code)
}

var codes = [codec.ResultCount]uint8{
	codec.ResultOK:             CodeOK,
	codec.ResultBadCredentials: CodeUnknownAccount,
	codec.ResultBanned:         CodeBanned,
	codec.ResultSuspended:      CodeSuspended,
	codec.ResultLocked:         CodeFailed, // 1.12 has no code 22, and cmangos sends 0D to all (17.2)
	codec.ResultAlreadyOnline:  CodeAlreadyOnline,
	codec.ResultVersionInvalid: CodeVersionMismatch,
	codec.ResultVersionUpdate:  CodeVersionMismatch,
	codec.ResultBusy:           CodeDBBusy,
	codec.ResultNoAccess:       CodeUnavailable,
	// Results of native clients only, with the closest codes.
	codec.ResultReplaced:  CodeAlreadyOnline,
	codec.ResultKicked:    CodeFailed,
	codec.ResultIdle:      CodeFailed,
	codec.ResultProtocol:  CodeFailed,
	codec.ResultGoingAway: CodeShuttingDown,
	codec.ResultBadPass:   CodeFailed,
	codec.ResultFull:      CodeUnavailable,
}

// CodeOf returns the code of a result, CodeFailed for a number that is no result.
func CodeOf(r codec.Result) uint8 {
	if r < codec.ResultCount {
		return codes[r]
	}
	return CodeFailed
}
