package admin

import (
	"gatepass/accounts"
	"gatepass/storage"
)

// NameRequest names an account.
type NameRequest struct {
	Name string `json:"name"`
}

// ListRequest asks for up to Limit accounts behind the name After, in name order. The
// server may give fewer; no account at all is the end.
type ListRequest struct {
	After string `json:"after,omitempty"`
	Limit int    `json:"limit,omitempty"`
}

// AccountRequest holds an account, or the parts of it that are to change. It has
// verifiers, no password.
type AccountRequest struct {
	Account *accounts.Record `json:"account"`
}

// DevicesRequest asks for the devices of an account.
type DevicesRequest struct {
	Name string `json:"name"`
	// Keys asks also for what signs them in, which an export takes along.
	Keys bool `json:"keys,omitempty"`
}

// ForgetRequest names devices of an account: Family is a device's family, or zeros for
// all devices. A device that is named by its ID has Device instead, so that it is never
// mistaken for all.
type ForgetRequest struct {
	Name   string          `json:"name"`
	Family *accounts.HexID `json:"family,omitempty"`
	Device *accounts.HexID `json:"device,omitempty"`
}

// accountOperations are the commands about accounts but for their bans.
func accountOperations() []accountCommand {
	return []accountCommand{
		named("account.show", "show", storage.OpGet),
		accountList(),
		stored("account.add", accounts.ChangeAdd, storage.OpCreate),
		stored("account.password", accounts.ChangePassword, storage.OpSetVerifier),
		stored("account.factors", accounts.ChangeFactors, storage.OpSetFactors),
		named("account.delete", accounts.ChangeDelete.String(), storage.OpDelete),
		accountDevices(), forgetDevice(),
	}
}

// operations are all commands of the account store.
func operations() []accountCommand { return append(accountOperations(), banOperations()...) }

// named is a command of which the request is a name: OpGet reads, the others change.
func named(name, audit string, kind storage.OpKind) operation[NameRequest, accounts.Record] {
	o := operation[NameRequest, accounts.Record]{
		Info: Info{Name: name, May: PermissionAccounts, Audit: audit, Changes: true},
		kind: kind,
		ask:  func(op *storage.Op) NameRequest { return NameRequest{op.Name.String()} },
		op:   func(q *NameRequest) (op storage.Op, err error) { op.Name, err = mustName(q.Name); return op, err },
		take: takeAccount,
	}
	switch kind {
	case storage.OpGet:
		o.May, o.Changes = PermissionSecrets, false
		o.tell = func(_ *storage.Op, r *storage.Result) []accounts.Record {
			return []accounts.Record{toldAccount(r.Account)}
		}
	case storage.OpUnban:
		o.May = PermissionBans
	}
	return o
}

func accountList() operation[ListRequest, accounts.Record] {
	return operation[ListRequest, accounts.Record]{
		Info: Info{Name: "account.list", May: PermissionSecrets, Audit: "list"},
		kind: storage.OpList,
		ask:  func(op *storage.Op) ListRequest { return ListRequest{op.Name.String(), op.Limit} },
		op: func(q *ListRequest) (op storage.Op, err error) {
			op.Limit = min(max(q.Limit, 1), accounts.ListPage)
			if q.After != "" {
				op.Name, err = accounts.ParseName(q.After)
			}
			return op, err
		},
		tell: func(_ *storage.Op, r *storage.Result) (all []accounts.Record) {
			for i := range r.Accounts {
				all = append(all, toldAccount(&r.Accounts[i]))
			}
			return all
		},
		take: func(object *accounts.Record, into *storage.Result) error {
			account, err := object.Stored()
			into.Accounts = append(into.Accounts, account)
			return err
		},
	}
}

// stored is a command of which the request is an account.
func stored(name string, change accounts.ChangeKind, kind storage.OpKind) operation[AccountRequest, accounts.Record] {
	return operation[AccountRequest, accounts.Record]{
		Info: Info{Name: name, May: PermissionAccounts, Audit: change.String(), Changes: true},
		kind: kind,
		ask: func(op *storage.Op) AccountRequest {
			if op.Account == nil {
				return AccountRequest{}
			}
			r := accounts.NewRecord(op.Account, op.Devices, accounts.ColumnsTrinity)
			return AccountRequest{&r}
		},
		op: func(q *AccountRequest) (op storage.Op, err error) {
			if q.Account == nil {
				return op, ErrProtocol
			}
			var account storage.Account
			account, op.Devices, err = q.Account.Check()
			op.Account, op.Name = &account, account.Name
			return op, err
		},
	}
}

func accountDevices() operation[DevicesRequest, accounts.DeviceEntry] {
	return operation[DevicesRequest, accounts.DeviceEntry]{
		Info: Info{Name: "account.devices", May: PermissionSecrets, Audit: "list-devices"},
		kind: storage.OpDevices,
		ask:  func(op *storage.Op) DevicesRequest { return DevicesRequest{op.Name.String(), !op.Brief} },
		op: func(q *DevicesRequest) (op storage.Op, err error) {
			op.Brief = !q.Keys
			op.Name, err = mustName(q.Name)
			return op, err
		},
		tell: func(op *storage.Op, r *storage.Result) (all []accounts.DeviceEntry) {
			for _, d := range r.Devices {
				if op.Brief {
					d.Key, d.Verifier = [32]byte{}, [32]byte{}
				}
				all = append(all, accounts.NewDeviceEntry(&d))
			}
			return all
		},
		take: func(object *accounts.DeviceEntry, into *storage.Result) error {
			into.Devices = append(into.Devices, object.Device())
			return nil
		},
	}
}

func forgetDevice() operation[ForgetRequest, accounts.DeviceEntry] {
	return operation[ForgetRequest, accounts.DeviceEntry]{
		Info: Info{Name: "account.forget-device", May: PermissionAccounts, Audit: accounts.ChangeDevices.String(), Changes: true},
		kind: storage.OpRemoveDevice,
		ask: func(op *storage.Op) ForgetRequest {
			q, none := ForgetRequest{Name: op.Name.String()}, [16]byte{}
			switch {
			case op.Device == nil:
			case op.Device.Family == none && op.Device.ID != none:
				q.Device = (*accounts.HexID)(&op.Device.ID)
			default:
				q.Family = (*accounts.HexID)(&op.Device.Family)
			}
			return q
		},
		op: func(q *ForgetRequest) (op storage.Op, err error) {
			switch {
			case q.Family != nil:
				op.Device = &storage.Device{Family: *q.Family}
			case q.Device != nil && *q.Device != accounts.HexID{}:
				op.Device = &storage.Device{ID: *q.Device}
			default:
				return op, ErrProtocol
			}
			op.Name, err = mustName(q.Name)
			return op, err
		},
	}
}

// mustName reads a name that has to be there.
func mustName(raw string) (storage.Name, error) {
	if raw == "" {
		return storage.Name{}, ErrProtocol
	}
	return accounts.ParseName(raw)
}

func toldAccount(a *storage.Account) accounts.Record {
	return accounts.NewRecord(a, nil, accounts.ColumnsTrinity)
}

func takeAccount(object *accounts.Record, into *storage.Result) error {
	account, err := object.Stored()
	into.Account = &account
	return err
}
