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

// Store runs requests and waits for them. Do gives one result per op, in the
// order of ops, or an error if it cannot tell how they ended. It runs what it
// was given even when ctx ends meanwhile: then it returns early, with an error.
// May be called from any goroutine.
type Store interface {
	Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error)
}

// Options of a Manager.
type Options struct {
	// Now is the clock; bans and new accounts are stamped with it. Default
	// time.Now.
	Now func() time.Time
	// Random gives the salts. It must be cryptographic and safe for use by
	// several goroutines. Required.
	Random io.Reader
	// Native is how the native protocol's verifiers are made of passwords; what is
	// zero of it is that of srp6a.DefaultParams. The rest must be valid. Making one takes
	// as long, and as much memory, as it says.
	Native srp6a.Params
	// NoNative leaves those verifiers out: such accounts cannot log in natively.
	NoNative bool
	// OnChange, if set, is told each change after it is durable, on the
	// goroutine that asked for it. It is also told those of which the store could
	// not say how they ended: what they ask for may be so, or become so. It must
	// not call back into the Manager.
	OnChange func(Change)
}

// Manager carries out what operators ask for. Its methods may be called from
// any goroutine; all wait for the store. Errors are a FieldError for input that
// cannot be, wrap storage.ErrNotFound, storage.ErrNotBanned and storage.ErrExists,
// and name the account.
type Manager struct {
	// static after construction
	store   Store
	options Options
}

// New makes a Manager over a store that stays the caller's to close.
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

// Add makes an account.
func (m *Manager) Add(ctx context.Context, name, password string) error {
	account, err := m.credentials(name, password)
	if err != nil {
		return err
	}
	account.Created = m.now()
	_, err = m.one(ctx, storage.Op{Kind: storage.OpCreate, Name: account.Name, Account: &account})
	return aboutAccount(account.Name, err)
}

// SetPassword gives an account another password. Its verifiers are made anew, and
// those of protocols that are not known here are dropped: they would still let the
// old password in. Remembered devices are forgotten.
func (m *Manager) SetPassword(ctx context.Context, name, password string) error {
	account, err := m.credentials(name, password)
	if err != nil {
		return err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpSetVerifier, Name: account.Name, Account: &account})
	return aboutAccount(account.Name, err)
}

// Show reads one account.
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

// Delete removes an account and all that belongs to it.
func (m *Manager) Delete(ctx context.Context, name string) error {
	folded, err := ParseName(name)
	if err != nil {
		return err
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpDelete, Name: folded})
	return aboutAccount(folded, err)
}

// List reads up to limit accounts behind the name after, in name order; the
// zero Name starts at the first. An empty page is the end; a page may be shorter
// than limit before it.
func (m *Manager) List(ctx context.Context, after storage.Name, limit int) ([]storage.Account, error) {
	result, err := m.one(ctx, storage.Op{Kind: storage.OpList, Name: after, Limit: min(limit, ListPage)})
	return result.Accounts, err
}

// All reads every account behind the name after, page by page. It ends with the
// first error.
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

// credentials makes the part of an account that a name and a password decide.
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

// draw fills in fresh salts.
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

// one runs a single op and returns its error as the second result.
func (m *Manager) one(ctx context.Context, op storage.Op) (storage.Result, error) {
	results, err := m.Do(ctx, op)
	if err != nil {
		return storage.Result{}, err
	}
	return results[0], results[0].Err
}

// Do runs ops, at most MaxOps of them, and tells OnChange of the changes. It also tells
// those of unknown outcome: it is better to end the sessions of a banned player once too
// often. It makes a Manager a Store.
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

// refused tells that an op surely changed nothing. After storage.ErrFailed it
// may have.
func refused(err error) bool { return err != nil && !errors.Is(err, storage.ErrFailed) }

func (m *Manager) now() int64 { return m.options.Now().Unix() }

// Now is the Manager's clock, for callers that show times.
func (m *Manager) Now() time.Time { return m.options.Now() }
