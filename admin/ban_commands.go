package admin

import (
	"net/netip"

	"gatepass/accounts"
	"gatepass/storage"
)

// BanRequest bans an account.
type BanRequest struct {
	Name string             `json:"name"`
	Ban  *accounts.BanEntry `json:"ban"`
	// Stored tells that the ban is out of an export. Its times are not checked then: they
	// may be those of a clock that was wrong.
	Stored bool `json:"stored,omitempty"`
}

// BanAddressRequest bans a range of addresses.
type BanAddressRequest struct {
	Address netip.Prefix       `json:"address"`
	Ban     *accounts.BanEntry `json:"ban"`
	Stored  bool               `json:"stored,omitempty"` // as in BanRequest
}

// AddressRequest names a range of addresses, as it was banned.
type AddressRequest struct {
	Address netip.Prefix `json:"address"`
}

// BannedAddress is a banned range, or one whose ban cannot be read.
type BannedAddress struct {
	Address netip.Prefix       `json:"address,omitzero"`
	Ban     *accounts.BanEntry `json:"ban,omitempty"`
	// Damaged names the ban, and what is wrong with it; then the rest is absent.
	Damaged string `json:"damaged,omitempty"`
}

// banOperations are the commands about bans of accounts and of addresses.
func banOperations() []accountCommand {
	return []accountCommand{
		banAccount(), named("account.unban", accounts.ChangeUnban.String(), storage.OpUnban),
		banAddress(), unbanAddress(), listAddresses(),
	}
}

func banInfo(name string, change accounts.ChangeKind) Info {
	return Info{Name: name, May: PermissionBans, Audit: change.String(), Changes: true}
}

func banAccount() operation[BanRequest, accounts.Record] {
	return operation[BanRequest, accounts.Record]{
		Info: banInfo("account.ban", accounts.ChangeBan),
		kind: storage.OpBan,
		ask: func(op *storage.Op) BanRequest {
			return BanRequest{op.Name.String(), accounts.NewBanEntry(&op.Ban), isStored(&op.Ban)}
		},
		op: func(q *BanRequest) (op storage.Op, err error) {
			if op.Name, err = mustName(q.Name); err == nil {
				op.Ban, err = checkBan(q.Ban, q.Stored)
			}
			return op, err
		},
	}
}

func banAddress() operation[BanAddressRequest, BannedAddress] {
	return operation[BanAddressRequest, BannedAddress]{
		Info: banInfo("address.ban", accounts.ChangeBanAddress),
		kind: storage.OpBanAddress,
		ask: func(op *storage.Op) BanAddressRequest {
			return BanAddressRequest{op.Prefix, accounts.NewBanEntry(&op.Ban), isStored(&op.Ban)}
		},
		op: func(q *BanAddressRequest) (op storage.Op, err error) {
			if op.Prefix = q.Address; !op.Prefix.IsValid() || op.Prefix != op.Prefix.Masked() {
				return op, ErrProtocol
			}
			op.Ban, err = checkBan(q.Ban, q.Stored)
			return op, err
		},
	}
}

func unbanAddress() operation[AddressRequest, BannedAddress] {
	return operation[AddressRequest, BannedAddress]{
		Info: banInfo("address.unban", accounts.ChangeUnbanAddress),
		kind: storage.OpUnbanAddress,
		ask:  func(op *storage.Op) AddressRequest { return AddressRequest{op.Prefix} },
		op: func(q *AddressRequest) (op storage.Op, err error) {
			if op.Prefix = q.Address; !op.Prefix.IsValid() {
				err = ErrProtocol
			}
			return op, err
		},
	}
}

func listAddresses() operation[struct{}, BannedAddress] {
	return operation[struct{}, BannedAddress]{
		Info: Info{Name: "address.list", May: PermissionBans, Audit: "list-addresses"},
		kind: storage.OpAddressBans,
		ask:  func(*storage.Op) struct{} { return struct{}{} },
		op:   func(*struct{}) (op storage.Op, err error) { return op, nil },
		tell: func(_ *storage.Op, r *storage.Result) (all []BannedAddress) {
			for _, text := range r.Damaged {
				all = append(all, BannedAddress{Damaged: text})
			}
			for _, b := range r.AddressBans {
				all = append(all, BannedAddress{Address: b.Prefix, Ban: accounts.NewBanEntry(&b.Ban)})
			}
			return all
		},
		take: func(object *BannedAddress, into *storage.Result) error {
			if object.Damaged != "" {
				into.Damaged = append(into.Damaged, object.Damaged)
				return nil
			}
			ban, err := object.Ban.Ban()
			into.AddressBans = append(into.AddressBans, storage.AddressBan{Prefix: object.Address, Ban: ban})
			return err
		},
	}
}

// isStored tells that a ban has times that no operator gives: only an import has it.
func isStored(b *storage.Ban) bool { return accounts.CheckTime("ban.until", b.Until) != nil }

// checkBan reads a ban that has to be there, and checks its end unless it is stored.
func checkBan(entry *accounts.BanEntry, stored bool) (storage.Ban, error) {
	if entry == nil {
		return storage.Ban{}, ErrProtocol
	}
	ban, err := entry.Ban()
	if err != nil || stored {
		return ban, err
	}
	return ban, accounts.CheckTime("ban.until", ban.Until)
}
