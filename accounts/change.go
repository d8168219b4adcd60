package accounts

import (
	"net/netip"

	"gatepass/storage"
)

// ChangeKind is the kind of a change.
type ChangeKind uint8

const (
	// ChangeAdd: an account was added.
	ChangeAdd ChangeKind = iota + 1
	// ChangePassword: the verifiers of an account were replaced.
	ChangePassword
	// ChangeFactors: the second factors of an account were replaced or removed.
	ChangeFactors
	// ChangeDelete: an account was deleted.
	ChangeDelete
	// ChangeDevices: some or all remembered devices of an account were removed.
	ChangeDevices
	// ChangeBan: an account was banned.
	ChangeBan
	// ChangeUnban: the ban of an account was removed.
	ChangeUnban
	// ChangeBanAddress: an address range was banned.
	ChangeBanAddress
	// ChangeUnbanAddress: the ban of an address range was removed.
	ChangeUnbanAddress
)

// String returns one word for the log.
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

// Change is one change. It is durable, except that Options.OnChange also gets changes
// whose outcome is unknown.
type Change struct {
	Kind ChangeKind
	// Name is the account. It is zero for address changes.
	Name storage.Name
	// Prefix is the address range. It is invalid for account changes.
	Prefix netip.Prefix
	// Ban is set for ChangeBan and ChangeBanAddress.
	Ban storage.Ban
}

// ChangeBy returns the change that a successful op made. It returns false for reads and
// for ops that no operator command uses.
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
