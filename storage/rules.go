package storage

import (
	"cmp"
	"crypto/subtle"
)

// This file has the rules that hold on every engine. An engine validates a request,
// reads what it is about, applies the rule, and stores the result together with what the
// rule removes, as one change.

// IsRead reports whether requests of the kind change nothing.
func (k OpKind) IsRead() bool {
	switch k {
	case OpGet, OpAddressBans, OpList, OpDevice, OpDevices, OpDecoys, OpSampleSalts:
		return true
	}
	return false
}

// IsNote reports whether the result of a request of the kind comes before the change is
// durable, unless Op.Synced is set.
func (k OpKind) IsNote() bool {
	return k == OpLogin || k == OpLoginFailed || k == OpCharacters
}

// Validate returns ErrInvalid if the request lacks a field that its kind needs, exceeds
// a limit, or is of an unknown kind. An engine calls it before it looks for the account.
func (op *Op) Validate() error {
	valid := true
	switch op.Kind {
	case OpCreate:
		valid = ValidAccount(op.Account) && ValidDevices(op.Devices)
	case OpSetVerifier:
		valid = op.Account != nil && ValidOthers(op.Account.Others)
	case OpSetFactors:
		valid = op.Account != nil && ValidFactors(op.Account)
	case OpBan:
		valid = ValidBan(&op.Ban)
	case OpBanAddress:
		valid = op.Prefix.IsValid() && ValidBan(&op.Ban)
	case OpUnbanAddress:
		valid = op.Prefix.IsValid()
	case OpLogin:
		valid = op.Name != Name{}
	case OpCharacters:
		valid = op.World != 0
	case OpDevice, OpRemoveDevice:
		valid = op.Device != nil
	case OpAddDevice:
		// Without a time no device would expire.
		valid = ValidDevice(op.Device) && op.now() != 0
	case OpRotateDevice:
		valid = ValidDevice(op.Device)
	case OpSetDecoys:
		valid = op.Decoys != nil && op.Decoys.Salts.Marked <= AllMarked
	default:
		valid = int(op.Kind) < len(opNames) && op.Kind >= OpGet
	}
	if !valid {
		return ErrInvalid
	}
	return nil
}

// now is the time of OpAddDevice.
func (op *Op) now() int64 { return cmp.Or(op.At, op.Device.Created) }

// EndsDevices reports whether all devices of the account are removed together with the
// change. A new verifier ends them, since who knew the old password may have added one.
// A new second factor ends them, since they were added without it and a token does not
// ask for it. Without any factor no device knows less than is asked for.
func (op *Op) EndsDevices() bool {
	switch op.Kind {
	case OpSetVerifier, OpDelete:
		return true
	case OpSetFactors:
		return op.Account.PIN != "" || len(op.Account.TOTPSecret) > 0
	}
	return false
}

// Change applies a valid request of the kinds OpSetVerifier, OpSetFactors, OpBan,
// OpUnban and OpCharacters to the account. It replaces fields and does not change what
// they point to, which may belong to another request. changed is false if the account is
// as before and need not be stored.
func (op *Op) Change(a *Account) (changed bool, err error) {
	switch op.Kind {
	case OpSetVerifier:
		a.Grunt, a.Others = op.Account.Grunt, op.Account.Others
	case OpSetFactors:
		a.PIN, a.TOTPSecret = op.Account.PIN, op.Account.TOTPSecret
	case OpBan:
		a.Ban = op.Ban
		a.Ban.Set = true
	case OpUnban:
		if !a.Ban.Set {
			return false, ErrNotBanned
		}
		a.Ban = Ban{}
	case OpCharacters:
		a.Characters, changed = WithCount(a.Characters, WorldCount{World: op.World, Count: op.Count})
		return changed, nil
	}
	return true, nil
}

// LoggedIn is the login record after OpLogin, whatever it was before: a successful login
// clears the failed attempts.
func (op *Op) LoggedIn() LoginRecord { return LoginRecord{LastLogin: op.At, LastAddr: op.Addr} }

// LoginFailed is the login record after OpLoginFailed. The count stays at its largest
// value.
func (op *Op) LoginFailed(l LoginRecord) LoginRecord {
	l.LastFailed = op.At
	l.Failed = max(l.Failed, l.Failed+1)
	return l
}

// ProvenStill returns ErrConflict if the credentials that OpAddDevice was proven with are
// no longer the account's.
func (op *Op) ProvenStill(a *Account) error {
	if now := a.Credentials(); subtle.ConstantTimeCompare(now[:], op.Proven[:]) != 1 {
		return ErrConflict
	}
	return nil
}

// Rotate applies OpRotateDevice to the device. It returns ErrConflict if the device's
// verifier is not the expected one.
func (op *Op) Rotate(d *Device) error {
	if subtle.ConstantTimeCompare(d.Verifier[:], op.Expect[:]) != 1 {
		return ErrConflict
	}
	d.Verifier, d.LastUsed, d.LastAddr = op.Device.Verifier, op.At, op.Addr
	return nil
}
