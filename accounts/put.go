package accounts

import (
	"context"
	"errors"

	"gatepass/storage"
)

// PutMode decides about a row whose account exists already.
type PutMode uint8

const (
	// PutNew refuses such a row.
	PutNew PutMode = iota
	// PutUpdate replaces the account's verifiers and keeps its other data.
	PutUpdate
	// PutSkip leaves the account as it is and does not count the row as bad.
	PutSkip
)

// outcome is the result for one account of a put.
type outcome uint8

const (
	outcomeAdded outcome = iota + 1
	outcomeUpdated
	outcomeSkipped
	// outcomeFailed: the result has an error.
	outcomeFailed
)

type putResult struct {
	outcome outcome
	// lostNative: the account had a native verifier and the row has none.
	lostNative bool
	err        error
}

// put stores up to MaxOps accounts in their order, with one or two durable writes in
// total. An error means that the store stopped. It is then unknown which accounts are
// stored.
func (m *Manager) put(ctx context.Context, batch []*draft, mode PutMode) ([]putResult, error) {
	ops := make([]storage.Op, len(batch))
	for i, d := range batch {
		ops[i] = storage.Op{Kind: storage.OpCreate, Name: d.account.Name, Account: &d.account, Devices: d.devices}
	}
	results, err := m.Do(ctx, ops...)
	if err != nil {
		return nil, err
	}
	out := make([]putResult, len(batch))
	var taken []int
	for i := range results {
		switch err := results[i].Err; {
		case err == nil:
			out[i].outcome = outcomeAdded
		case errors.Is(err, storage.ErrExists) && mode == PutSkip:
			out[i].outcome = outcomeSkipped
		case errors.Is(err, storage.ErrExists) && mode == PutUpdate:
			taken = append(taken, i)
		case errors.Is(err, storage.ErrExists):
			out[i] = failed(ops[i].Name, err)
		case fatal(err):
			return nil, err
		default:
			out[i] = failed(ops[i].Name, err)
		}
	}
	return out, m.update(ctx, updates{ops, taken, out})
}

func failed(name storage.Name, err error) putResult {
	return putResult{outcome: outcomeFailed, err: aboutAccount(name, err)}
}

// updates are the accounts of a put that exist already.
type updates struct {
	ops   []storage.Op
	taken []int
	out   []putResult
}

func (m *Manager) update(ctx context.Context, u updates) error {
	if len(u.taken) == 0 {
		return nil
	}
	ops := make([]storage.Op, len(u.taken))
	for k, i := range u.taken {
		ops[k] = u.ops[i]
		ops[k].Kind = storage.OpSetVerifier
	}
	native, err := m.nativeOf(ctx, ops)
	if err != nil {
		return err
	}
	results, err := m.Do(ctx, ops...)
	if err != nil {
		return err
	}
	for k, i := range u.taken {
		switch err := results[k].Err; {
		case err == nil:
			had, has := native[ops[k].Name], hasNative(ops[k].Account)
			u.out[i] = putResult{outcome: outcomeUpdated, lostNative: had && !has}
			native[ops[k].Name] = has // the next row can have the same account
		case fatal(err):
			return err
		default:
			u.out[i] = failed(ops[k].Name, err)
		}
	}
	return nil
}

// nativeOf returns which of the accounts that ops give no native verifier have one now.
func (m *Manager) nativeOf(ctx context.Context, ops []storage.Op) (map[storage.Name]bool, error) {
	native := make(map[storage.Name]bool)
	var reads []storage.Op
	for i := range ops {
		if !hasNative(ops[i].Account) {
			reads = append(reads, storage.Op{Kind: storage.OpGet, Name: ops[i].Name})
		}
	}
	if len(reads) == 0 {
		return native, nil
	}
	results, err := m.Do(ctx, reads...)
	for i := range results {
		if a := results[i].Account; a != nil {
			native[a.Name] = hasNative(a)
		}
	}
	return native, err
}

func hasNative(a *storage.Account) bool {
	_, there := a.Others[ProtocolNative]
	return there
}

// fatal reports whether every further write would fail with the same error.
func fatal(err error) bool {
	return errors.Is(err, storage.ErrFailed) || errors.Is(err, storage.ErrClosed)
}
