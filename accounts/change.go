package accounts

import (
	"net/netip"

	"gatepass/storage"
)

// ChangeKind tells what was done.
type ChangeKind uint8

const (
	// ChangeAdd: an account is new.
	ChangeAdd ChangeKind = iota + 1
	// ChangePassword: an account has another verifier.
	ChangePassword
	// ChangeFactors: an account has other second factors, or none any more.
	ChangeFactors
	// ChangeDelete: an account is gone.
	ChangeDelete
	// ChangeDevices: some or all remembered devices of an account are forgotten.
	ChangeDevices
	// ChangeBan: an account is banned.
	ChangeBan
	// ChangeUnban: an account is banned no more.
	ChangeUnban
	// ChangeBanAddress: an address range is banned.
	ChangeBanAddress
	// ChangeUnbanAddress: an address range is banned no more.
	ChangeUnbanAddress
)

// String is one word for the log.
func (k ChangeKind) String() string {
	switch k {
	case ChangeAdd:
		return "add"
	case ChangePassword:
		return "password"
	case ChangeFactors:
		return "factors"
	case ChangeDelete:
		return "delete"
	case ChangeDevices:
		return "devices"
	case ChangeBan:
		return "ban"
	case ChangeUnban:
		return "unban"
	case ChangeBanAddress:
		return "ban-address"
	case ChangeUnbanAddress:
		return "unban-address"
	}
	return "unknown"
}

// Change is one change: durable, unless Options.OnChange was told of it because
// its outcome is unknown.
type Change struct {
	Kind ChangeKind
	// Name is the account; zero for addresses.
	Name storage.Name
	// Prefix is the address range; invalid for accounts.
	Prefix netip.Prefix
	// Ban is set for ChangeBan and ChangeBanAddress.
	Ban storage.Ban
}

// ChangeBy says what a successful op changed; false for reads and for ops that
// operators do not give.
func ChangeBy(op *storage.Op) (Change, bool) {
	c := Change{Name: op.Name, Prefix: op.Prefix, Ban: op.Ban}
	switch op.Kind {
	case storage.OpCreate:
		c.Kind, c.Name = ChangeAdd, op.Account.Name
	case storage.OpSetVerifier:
		c.Kind = ChangePassword
	case storage.OpSetFactors:
		c.Kind = ChangeFactors
	case storage.OpDelete:
		c.Kind = ChangeDelete
	case storage.OpRemoveDevice:
		c.Kind = ChangeDevices
	case storage.OpBan:
		c.Kind = ChangeBan
	case storage.OpUnban:
		c.Kind = ChangeUnban
	case storage.OpBanAddress:
		c.Kind = ChangeBanAddress
	case storage.OpUnbanAddress:
		c.Kind = ChangeUnbanAddress
	default:
		return Change{}, false
	}
	return c, true
}
