package accounts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"gatepass/auth/srp6"
	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// Store runs requests and waits for them. Do returns one result per op, in the order of
// ops, or an error if the outcome is unknown. When ctx ends, Do returns early with an
// error, and the ops still run. Do may be called from any goroutine.
type Store interface {
	Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error)
}

// Options of a Manager.
type Options struct {
	// Now is the clock for the times of bans and new accounts. The default is time.Now.
	Now func() time.Time
	// Random is the source of salts. It must be cryptographic and safe for concurrent
	// use. Required.
	Random io.Reader
	// Native has the parameters of native verifiers. Zero fields have the value of
	// srp6a.DefaultParams. The other fields must be valid. They set how much time and
	// memory one verifier takes.
	Native srp6a.Params
	// NoNative makes no native verifiers: such accounts cannot log in natively.
	NoNative bool
	// OnChange, if set, is called with each change after it is durable, on the
	// goroutine that requested it. It is also called with changes whose outcome the
	// store does not know: they may be stored now or later. It must not call the
	// Manager.
	OnChange func(Change)
}

// Manager runs the requests of operators. Its methods may be called from any goroutine,
// and all of them wait for the store. Invalid input gives a FieldError. Other errors
// name the account and wrap storage.ErrNotFound, storage.ErrNotBanned or
// storage.ErrExists.
type Manager struct {
	// static after construction
	store   Store
	options Options
}

// New returns a Manager for a store. The caller keeps ownership and closes the store.
func New(store Store, o Options) *Manager {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.OnChange == nil {
		o.OnChange = func(Change) {}
	}
	if o.Native.Group == 0 {
		o.Native.Group = srp6a.DefaultParams().Group
	}
	if o.Native.KDF == (srp6a.KDF{}) {
		o.Native.KDF = srp6a.DefaultParams().KDF
	}
	return &Manager{store: store, options: o}
}

// Add creates an account.
func (m *Manager) Add(ctx context.Context, name, password string) error {
	account, err := m.credentials(name, password)
	if err != nil {
		return err
	}
	account.Created = m.now()
	_, err = m.one(ctx, storage.Op{Kind: storage.OpCreate, Name: account.Name, Account: &account})
	return aboutAccount(account.Name, err)
}

// SetPassword replaces the password of an account. It makes new verifiers and drops
// those of unknown protocols, which would still accept the old password. It removes the
// remembered devices.
func (m *Manager) SetPassword(ctx context.Context, name, password string) error {
	account, err := m.credentials(name, password)
	if err != nil {
		return err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpSetVerifier, Name: account.Name, Account: &account})
	return aboutAccount(account.Name, err)
}

// Show returns one account.
func (m *Manager) Show(ctx context.Context, name string) (*storage.Account, error) {
	folded, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	result, err := m.one(ctx, storage.Op{Kind: storage.OpGet, Name: folded})
	if err != nil {
		return nil, aboutAccount(folded, err)
	}
	return result.Account, nil
}

// Delete removes an account and all its data.
func (m *Manager) Delete(ctx context.Context, name string) error {
	folded, err := ParseName(name)
	if err != nil {
		return err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpDelete, Name: folded})
	return aboutAccount(folded, err)
}

// List returns up to limit accounts after the given name, in name order. The zero Name
// starts at the first account. A page can be shorter than limit; only an empty page is
// the end.
func (m *Manager) List(ctx context.Context, after storage.Name, limit int) ([]storage.Account, error) {
	result, err := m.one(ctx, storage.Op{Kind: storage.OpList, Name: after, Limit: min(limit, ListPage)})
	return result.Accounts, err
}

// All reads every account after the given name, page by page. It ends at the first
// error.
func (m *Manager) All(ctx context.Context, after storage.Name) iter.Seq2[*storage.Account, error] {
	return func(yield func(*storage.Account, error) bool) {
		for {
			page, err := m.List(ctx, after, ListPage)
			if err != nil {
				yield(nil, err)
				return
			}
			if len(page) == 0 {
				return
			}
			for i := range page {
				if !yield(&page[i], nil) {
					return
				}
			}
			after = page[len(page)-1].Name
		}
	}
}

// credentials returns an account with the fields that a name and a password determine.
func (m *Manager) credentials(name, password string) (storage.Account, error) {
	folded, err := ParseName(name)
	if err != nil {
		return storage.Account{}, err
	}
	if err := CheckPassword(password); err != nil {
		return storage.Account{}, err
	}
	if err := m.options.Native.Validate(); err != nil {
		return storage.Account{}, &FieldError{Field: "native", Problem: err.Error(), cause: err}
	}
	var s salts
	if err := m.draw(&s); err != nil {
		return storage.Account{}, err
	}
	account := storage.Account{Name: folded}
	v := verifiers{grunt: true, native: !m.options.NoNative, params: m.options.Native}
	v.make(&account, &s, password)
	return account, nil
}

// draw fills in new random salts.
func (m *Manager) draw(s *salts) error {
	for _, salt := range []*[32]byte{&s.grunt, &s.native} {
		if _, err := io.ReadFull(m.options.Random, salt[:]); err != nil {
			return fmt.Errorf("accounts: no random salt: %w", err)
		}
	}
	return nil
}

func gruntVerifier(random *[32]byte, name storage.Name, password string) storage.GruntVerifier {
	salt := srp6.NewSalt(random)
	return storage.GruntVerifier{Set: true, Salt: salt, Verifier: srp6.NewVerifier(&salt, name.String(), password)}
}

// one runs one op and returns its error as the second result.
func (m *Manager) one(ctx context.Context, op storage.Op) (storage.Result, error) {
	results, err := m.Do(ctx, op)
	if err != nil {
		return storage.Result{}, err
	}
	return results[0], results[0].Err
}

// Do runs at most MaxOps ops and reports the changes to OnChange. It also reports
// changes of unknown outcome, because a banned player must not keep his session. With
// this method a Manager is a Store.
func (m *Manager) Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, StoreWait)
	defer cancel()
	results, err := m.store.Do(ctx, ops...)
	for i := range ops {
		if err == nil && refused(results[i].Err) {
			continue
		}
		if change, ok := ChangeBy(&ops[i]); ok {
			m.options.OnChange(change)
		}
	}
	return results, err
}

// refused reports whether an op certainly changed nothing. After storage.ErrFailed it
// may have changed something.
func refused(err error) bool { return err != nil && !errors.Is(err, storage.ErrFailed) }

func (m *Manager) now() int64 { return m.options.Now().Unix() }

// Now returns the time of the Manager's clock, for callers that show times.
func (m *Manager) Now() time.Time { return m.options.Now() }
