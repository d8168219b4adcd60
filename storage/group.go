package storage

import (
	"errors"
	"net/netip"

	"github.com/cockroachdb/pebble/v2"
)

// group is the requests that are committed and synced together. It is built by
// the writer: each request is checked against what the store holds and what
// earlier requests of the same group made of it, and its change goes into one
// Pebble batch, which survives a crash as a whole or not at all.
type group struct {
	batch   *pebble.Batch
	results []Result
	// waited: somebody waits for an fsync.
	waited bool
}

// builder makes groups. Owned by the writer goroutine.
type builder struct {
	view  view
	group *group

	// What the group has made of the records so far; emptied with each group.
	accounts map[Name]*Account     // nil: deleted
	logins   map[Name]LoginRecord  // notes, written once a name when the group is closed
	bans     map[netip.Prefix]bool // address bans that are there (or no longer)
	devices  map[Name]deviceNotes
	record   []byte // scratch
}

func newBuilder(db *pebble.DB) *builder {
	return &builder{
		view:     view{db: db},
		accounts: make(map[Name]*Account),
		logins:   make(map[Name]LoginRecord),
		bans:     make(map[netip.Prefix]bool),
		devices:  make(map[Name]deviceNotes),
	}
}

// begin opens a group into which results can be put.
func (b *builder) begin(results []Result) {
	b.group = &group{batch: b.view.db.NewBatch(), results: results}
}

// add does one request.
func (b *builder) add(op *Op) {
	r := Result{Kind: op.Kind, Tag: op.Tag, Name: op.Name}
	if op.Kind == OpCreate && op.Account != nil {
		r.Name = op.Account.Name
	}
	r.Err = b.apply(op)
	b.group.waited = b.group.waited || classOf(op) != classNote
	b.group.results = append(b.group.results, r)
}

// end closes the group: its batch is complete.
func (b *builder) end() (*group, error) {
	g, err := b.group, error(nil)
	for n, l := range b.logins {
		b.record = appendLogin(b.record[:0], &l)
		err = errors.Join(err, g.batch.Set(b.view.key.login(&n), b.record, nil))
	}
	b.group = nil
	clear(b.accounts)
	clear(b.logins)
	clear(b.bans)
	clear(b.devices)
	return g, err
}

func (b *builder) apply(op *Op) error {
	switch op.Kind {
	case OpCreate:
		return b.create(op)
	case OpSetVerifier:
		return b.setVerifier(op)
	case OpSetFactors:
		return b.setFactors(op)
	case OpDelete:
		return b.delete(op.Name)
	case OpBan:
		return b.ban(op)
	case OpUnban:
		return b.unban(op.Name)
	case OpBanAddress:
		return b.banAddress(op)
	case OpUnbanAddress:
		return b.unbanAddress(op)
	case OpLogin:
		if op.Name == (Name{}) {
			return ErrInvalid
		}
		// Blind: a login comes 9,000 times a second, and whoever logged in exists.
		b.logins[op.Name] = LoginRecord{LastLogin: op.At, LastAddr: op.Addr}
		return nil
	case OpLoginFailed:
		return b.loginFailed(op)
	case OpCharacters:
		return b.characters(op)
	case OpAddDevice:
		return b.addDevice(op)
	case OpRotateDevice:
		return b.rotateDevice(op)
	case OpRemoveDevice:
		return b.removeDevice(op)
	case OpSetDecoys:
		return b.setDecoys(op)
	}
	return ErrInvalid
}

func (b *builder) create(op *Op) error {
	a := op.Account
	if !validAccount(a) || !validDevices(op.Devices) {
		return ErrInvalid
	}
	there, err := b.exists(a.Name)
	if err != nil {
		return err
	}
	if there {
		return ErrExists
	}
	// A login noted just after a deletion may have left a record.
	if err := b.forgetLogin(a.Name); err != nil {
		return err
	}
	if a.Login != (LoginRecord{}) {
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

func (b *builder) setVerifier(op *Op) error {
	if op.Account == nil || !validOthers(op.Account.Others) {
		return ErrInvalid
	}
	// Whoever knew the old password may have made a device remember it.
	return b.editAndForget(op.Name, func(a *Account) error {
		a.Grunt, a.Others = op.Account.Grunt, op.Account.Others
		return nil
	})
}

// editAndForget edits an account and removes all its devices.
func (b *builder) editAndForget(n Name, change func(*Account) error) error {
	families, err := b.familiesOf(n)
	if err != nil {
		return err
	}
	if err := b.edit(n, change); err != nil {
		return err
	}
	return b.dropDevices(n, families)
}

func (b *builder) setFactors(op *Op) error {
	if op.Account == nil || !validFactors(op.Account) {
		return ErrInvalid
	}
	edit := b.editAndForget
	if op.Account.PIN == "" && len(op.Account.TOTPSecret) == 0 {
		edit = b.edit // no device knows less than what is asked now
	}
	return edit(op.Name, func(a *Account) error {
		a.PIN, a.TOTPSecret = op.Account.PIN, op.Account.TOTPSecret
		return nil
	})
}

func (b *builder) delete(n Name) error {
	there, err := b.exists(n)
	if err != nil {
		return err
	}
	if !there {
		return ErrNotFound
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
	return b.group.batch.Delete(b.view.key.account(&n), nil)
}

func (b *builder) ban(op *Op) error {
	if !validBan(&op.Ban) {
		return ErrInvalid
	}
	return b.edit(op.Name, func(a *Account) error {
		a.Ban = op.Ban
		a.Ban.Set = true
		return nil
	})
}

func (b *builder) unban(n Name) error {
	return b.edit(n, func(a *Account) error {
		if !a.Ban.Set {
			return ErrNotBanned
		}
		a.Ban = Ban{}
		return nil
	})
}

func (b *builder) banAddress(op *Op) error {
	p, ok := foldPrefix(op.Prefix)
	if !ok || !validBan(&op.Ban) {
		return ErrInvalid
	}
	b.bans[p] = true
	b.record = appendAddressBan(b.record[:0], &op.Ban)
	return b.group.batch.Set(b.view.key.addressBan(p), b.record, nil)
}

func (b *builder) unbanAddress(op *Op) (err error) {
	p, ok := foldPrefix(op.Prefix)
	if !ok {
		return ErrInvalid
	}
	there, known := b.bans[p]
	if !known {
		if there, err = b.view.has(b.view.key.addressBan(p)); err != nil {
			return err
		}
	}
	if !there {
		return ErrNotBanned
	}
	b.bans[p] = false
	return b.group.batch.Delete(b.view.key.addressBan(p), nil)
}

func (b *builder) loginFailed(op *Op) error {
	there, err := b.exists(op.Name)
	if err != nil || !there {
		return err
	}
	l, known := b.logins[op.Name]
	if !known {
		if l, err = b.view.login(op.Name); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	l.LastFailed = op.At
	l.Failed = max(l.Failed, l.Failed+1) // stays at the largest number
	b.logins[op.Name] = l
	return nil
}

// characters writes only what is new: worlds repeat themselves.
func (b *builder) characters(op *Op) error {
	if op.World == 0 {
		return ErrInvalid
	}
	a, err := b.account(op.Name)
	if errors.Is(err, ErrNotFound) {
		return nil // deleted since the world heard of it
	}
	if err != nil {
		return err
	}
	counts, differs := withCount(a.Characters, WorldCount{World: op.World, Count: op.Count})
	if !differs {
		return nil
	}
	a.Characters = counts
	return b.put(a)
}

// exists tells whether there is an account, as of this point in the group.
func (b *builder) exists(n Name) (bool, error) {
	if a, known := b.accounts[n]; known {
		return a != nil, nil
	}
	return b.view.has(b.view.key.account(&n))
}

// edit reads an account, changes it and writes it back.
func (b *builder) edit(n Name, change func(*Account) error) error {
	a, err := b.account(n)
	if err != nil {
		return err
	}
	if err := change(a); err != nil {
		return err
	}
	return b.put(a)
}

// account is an account as of this point in the group, without its logins. What
// its slices and maps point to may be a caller's: replace, do not change.
func (b *builder) account(n Name) (*Account, error) {
	a, known := b.accounts[n]
	if !known {
		return b.view.account(n, true)
	}
	if a == nil {
		return nil, ErrNotFound
	}
	return a, nil
}

// put writes an account's record, not that of its logins.
func (b *builder) put(a *Account) error {
	b.accounts[a.Name] = a
	b.record = appendAccount(b.record[:0], a)
	return b.group.batch.Set(b.view.key.account(&a.Name), b.record, nil)
}

// forgetLogin removes a login record if there is one, so that making accounts in
// bulk leaves no tombstones.
func (b *builder) forgetLogin(n Name) error {
	delete(b.logins, n)
	there, err := b.view.has(b.view.key.login(&n))
	if err != nil || !there {
		return err
	}
	return b.group.batch.Delete(b.view.key.login(&n), nil)
}
