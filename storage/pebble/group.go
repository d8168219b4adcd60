package pebble

import (
	"errors"
	"net/netip"

	"github.com/cockroachdb/pebble/v2"

	"gatepass/storage"
	"gatepass/storage/pebble/records"
)

// group is the requests that are committed and synced together. The writer checks each
// request against the store and the earlier requests of the group, and adds its change to
// one Pebble batch, which survives a crash as a whole or not at all.
type group struct {
	batch   *pebble.Batch
	results []storage.Result
	// waited: a request of the group needs an fsync before its result is delivered.
	waited bool
}

// builder makes groups. Owned by the writer goroutine.
type builder struct {
	view  view
	group *group

	// The state of the records after the requests so far; emptied after each group.
	accounts map[storage.Name]*storage.Account    // nil: deleted
	logins   map[storage.Name]storage.LoginRecord // notes, written once a name when the group is closed
	bans     map[netip.Prefix]bool                // address bans that exist; false: removed
	devices  map[storage.Name]deviceNotes
	record   []byte // scratch
}

func newBuilder(db *pebble.DB) *builder {
	return &builder{
		view:     view{db: db},
		accounts: make(map[storage.Name]*storage.Account),
		logins:   make(map[storage.Name]storage.LoginRecord),
		bans:     make(map[netip.Prefix]bool),
		devices:  make(map[storage.Name]deviceNotes),
	}
}

// begin starts a group whose results are appended to results.
func (b *builder) begin(results []storage.Result) {
	b.group = &group{batch: b.view.db.NewBatch(), results: results}
}

// add does one request.
func (b *builder) add(op *storage.Op) {
	r := storage.Result{Kind: op.Kind, Tag: op.Tag, Name: op.Name}
	if op.Kind == storage.OpCreate && op.Account != nil {
		r.Name = op.Account.Name
	}
	r.Err = b.apply(op)
	b.group.waited = b.group.waited || classOf(op) != classNote
	b.group.results = append(b.group.results, r)
}

// end completes the group's batch and returns the group.
func (b *builder) end() (*group, error) {
	g, err := b.group, error(nil)
	for n, l := range b.logins {
		b.record = records.AppendLogin(b.record[:0], &l)
		err = errors.Join(err, g.batch.Set(b.view.key.Login(&n), b.record, nil))
	}
	b.group = nil
	clear(b.accounts)
	clear(b.logins)
	clear(b.bans)
	clear(b.devices)
	return g, err
}

// apply checks a request, changes the records as package storage says and notes the
// changes in the batch.
func (b *builder) apply(op *storage.Op) error {
	if err := op.Validate(); err != nil {
		return err
	}
	switch op.Kind {
	case storage.OpCreate:
		return b.create(op)
	case storage.OpSetVerifier, storage.OpSetFactors, storage.OpBan, storage.OpUnban:
		return b.change(op)
	case storage.OpDelete:
		return b.delete(op)
	case storage.OpBanAddress:
		return b.banAddress(op)
	case storage.OpUnbanAddress:
		return b.unbanAddress(op)
	case storage.OpLogin:
		// The account is not looked for: this happens 9,000 times a second, and an
		// account that logged in exists.
		b.logins[op.Name] = op.LoggedIn()
		return nil
	case storage.OpLoginFailed:
		return b.loginFailed(op)
	case storage.OpCharacters:
		return b.characters(op)
	case storage.OpAddDevice:
		return b.addDevice(op)
	case storage.OpRotateDevice:
		return b.rotateDevice(op)
	case storage.OpRemoveDevice:
		return b.removeDevice(op)
	case storage.OpSetDecoys:
		return b.setDecoys(op)
	}
	return storage.ErrInvalid
}

func (b *builder) create(op *storage.Op) error {
	a := op.Account
	there, err := b.exists(a.Name)
	if err != nil {
		return err
	}
	if there {
		return storage.ErrExists
	}
	// A login that was noted just after a deletion may have left a record.
	if err := b.forgetLogin(a.Name); err != nil {
		return err
	}
	if a.Login != (storage.LoginRecord{}) {
		b.logins[a.Name] = a.Login
	}
	for i := range op.Devices {
		if err := b.putDevice(a.Name, op.Devices[i]); err != nil {
			return err
		}
	}
	copied := *a
	return b.put(&copied)
}

// change changes an account, and removes its devices where the change ends them. The
// devices are looked for first, so that an error leaves everything as it was.
func (b *builder) change(op *storage.Op) (err error) {
	var families [][16]byte
	if op.EndsDevices() {
		if families, err = b.familiesOf(op.Name); err != nil {
			return err
		}
	}
	a, err := b.account(op.Name)
	if err != nil {
		return err
	}
	if changed, err := op.Change(a); err != nil || !changed {
		return err
	}
	if err := b.put(a); err != nil {
		return err
	}
	return b.dropDevices(op.Name, families)
}

func (b *builder) delete(op *storage.Op) error {
	n := op.Name
	there, err := b.exists(n)
	if err != nil {
		return err
	}
	if !there {
		return storage.ErrNotFound
	}
	families, err := b.familiesOf(n)
	if err != nil {
		return err
	}
	if err := b.forgetLogin(n); err != nil {
		return err
	}
	if err := b.dropDevices(n, families); err != nil {
		return err
	}
	b.accounts[n] = nil
	return b.group.batch.Delete(b.view.key.Account(&n), nil)
}

func (b *builder) banAddress(op *storage.Op) error {
	p, _ := storage.FoldPrefix(op.Prefix)
	b.bans[p] = true
	b.record = records.AppendAddressBan(b.record[:0], &op.Ban)
	return b.group.batch.Set(b.view.key.AddressBan(p), b.record, nil)
}

func (b *builder) unbanAddress(op *storage.Op) (err error) {
	p, _ := storage.FoldPrefix(op.Prefix)
	there, known := b.bans[p]
	if !known {
		if there, err = b.view.has(b.view.key.AddressBan(p)); err != nil {
			return err
		}
	}
	if !there {
		return storage.ErrNotBanned
	}
	b.bans[p] = false
	return b.group.batch.Delete(b.view.key.AddressBan(p), nil)
}

// loginFailed ignores names without an account.
func (b *builder) loginFailed(op *storage.Op) error {
	there, err := b.exists(op.Name)
	if err != nil || !there {
		return err
	}
	l, known := b.logins[op.Name]
	if !known {
		if l, err = b.view.login(op.Name); err != nil && !errors.Is(err, storage.ErrNotFound) {
			return err
		}
	}
	b.logins[op.Name] = op.LoginFailed(l)
	return nil
}

// characters writes only what is new, since worlds repeat their counts. It ignores names
// without an account: one may have been deleted since the world heard of it.
func (b *builder) characters(op *storage.Op) error {
	err := b.change(op)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// exists reports whether an account exists, as of this point in the group.
func (b *builder) exists(n storage.Name) (bool, error) {
	if a, known := b.accounts[n]; known {
		return a != nil, nil
	}
	return b.view.has(b.view.key.Account(&n))
}

// account returns an account as of this point in the group, without its logins. Its slices
// and maps may belong to a caller: replace them, do not change their elements.
func (b *builder) account(n storage.Name) (*storage.Account, error) {
	a, known := b.accounts[n]
	if !known {
		return b.view.account(n, true)
	}
	if a == nil {
		return nil, storage.ErrNotFound
	}
	return a, nil
}

// put writes an account's record without that of its logins.
func (b *builder) put(a *storage.Account) error {
	b.accounts[a.Name] = a
	b.record = records.AppendAccount(b.record[:0], a)
	return b.group.batch.Set(b.view.key.Account(&a.Name), b.record, nil)
}

// forgetLogin removes a login record if there is one. It reads first, so that creating
// many accounts leaves no tombstones.
func (b *builder) forgetLogin(n storage.Name) error {
	delete(b.logins, n)
	there, err := b.view.has(b.view.key.Login(&n))
	if err != nil || !there {
		return err
	}
	return b.group.batch.Delete(b.view.key.Login(&n), nil)
}
