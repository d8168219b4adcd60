package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"gatepass/storage"
)

// committer stores batches and counts the results. The goroutine of Import owns it.
type committer struct {
	manager *Manager
	options ImportOptions
	report  ImportReport
	// seen maps each account to its line in the file.
	seen map[storage.Name]int
	// banned holds the ranges that are banned already. It is nil until it is first
	// needed.
	banned map[netip.Prefix]storage.Ban
}

// commit stores a batch.
func (c *committer) commit(ctx context.Context, b *importBatch) error {
	// Not ctx: once the store has begun a batch, Import waits for it, so that the
	// report says what is stored.
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), StoreWait)
	defer cancel()
	c.sort(b)
	if err := c.addresses(wait, b); err != nil {
		return err
	}
	if err := c.bans(wait, b); err != nil {
		return err
	}
	if err := c.accounts(wait, b); err != nil {
		return err
	}
	c.note(b)
	return nil
}

// sort skips rows that change nothing. It refuses a second row of an account, because
// nothing says which of the two rows is correct.
func (c *committer) sort(b *importBatch) {
	for i := range b.rows {
		r := &b.rows[i]
		d := &r.draft
		switch {
		case r.err != nil:
		case d.empty:
			r.skip = true
			c.report.Left.add(d.left)
		case d.address == nil && !d.banOnly:
			if line, there := c.seen[d.account.Name]; there {
				r.err = &subjectError{fmt.Sprintf("account %s is in line %d already", d.account.Name, line), storage.ErrExists}
				r.skip = false
				continue
			}
			c.seen[d.account.Name] = r.line
		}
	}
}

// pick returns the rows of a batch that have no error yet and are of the given kind.
func pick(b *importBatch, kind func(*draft) bool) (rows []*importRow) {
	for i := range b.rows {
		if r := &b.rows[i]; r.err == nil && !r.skip && kind(&r.draft) {
			rows = append(rows, r)
		}
	}
	return rows
}

func isAddress(d *draft) bool { return d.address != nil }
func isBan(d *draft) bool     { return d.address == nil && d.banOnly }
func isAccount(d *draft) bool { return d.address == nil && !d.banOnly }

// accounts stores the accounts of a batch.
func (c *committer) accounts(ctx context.Context, b *importBatch) error {
	rows := pick(b, isAccount)
	if len(rows) == 0 {
		return nil
	}
	drafts := make([]*draft, len(rows))
	for i, r := range rows {
		if drafts[i] = &r.draft; r.draft.account.Created == 0 && !r.draft.asStored {
			r.draft.account.Created = c.manager.now()
		}
	}
	results, err := c.manager.put(ctx, drafts, c.options.Mode)
	if err != nil {
		return err
	}
	for i, r := range rows {
		r.err = results[i].err
		c.count(&r.draft, results[i])
	}
	return nil
}

func (c *committer) count(d *draft, r putResult) {
	switch r.outcome {
	case outcomeAdded:
		c.report.Added++
		c.report.Left.add(d.left)
	case outcomeUpdated:
		c.report.Updated++
		if r.lostNative {
			c.report.LostNative++
		}
		c.report.Left.add(d.leftByUpdate())
	case outcomeSkipped:
		c.report.Skipped++
	}
}

// leftByUpdate returns what an update ignores in a row: everything but its verifiers.
func (d *draft) leftByUpdate() (left leftSet) {
	if d.account.Ban.Set {
		left.add(leftUpdateBan)
	}
	if d.account.PIN != "" || len(d.account.TOTPSecret) > 0 {
		left.add(leftUpdateFactor)
	}
	if len(d.devices) > 0 || len(d.account.Characters) > 0 {
		left.add(leftUpdateRest)
	}
	return left
}

// bans bans accounts that exist. If a file has several bans of an account, the ban with
// the latest end wins, as in the databases that such files come from.
func (c *committer) bans(ctx context.Context, b *importBatch) error {
	rows := pick(b, isBan)
	if len(rows) == 0 {
		return nil
	}
	current, err := c.currentBans(ctx, rows)
	if err != nil {
		return err
	}
	var ops []storage.Op
	var asked []*importRow
	for _, r := range rows {
		name, ban := r.draft.account.Name, r.draft.account.Ban
		old, there := current[name]
		switch {
		case !there:
			r.err = aboutAccount(name, storage.ErrNotFound)
		case old.Set && (old == ban || c.options.Mode == PutSkip || c.seen[name] > 0 && lasts(&old) >= lasts(&ban)):
			r.skip = true
		case old.Set && c.options.Mode == PutNew && c.seen[name] == 0:
			r.err = &subjectError{fmt.Sprintf("account %s is banned already; --update replaces its ban", name), storage.ErrExists}
		default:
			ops = append(ops, storage.Op{Kind: storage.OpBan, Name: name, Ban: ban})
			asked = append(asked, r)
			current[name], c.seen[name] = ban, r.line
		}
	}
	return c.ask(ctx, ops, asked)
}

// lasts returns the end of a ban, for comparison. A ban without an end sorts last.
func lasts(b *storage.Ban) int64 {
	if b.Until == 0 {
		return maxTime
	}
	return b.Until
}

// currentBans returns the bans of the accounts that exist.
func (c *committer) currentBans(ctx context.Context, rows []*importRow) (map[storage.Name]storage.Ban, error) {
	reads := make([]storage.Op, len(rows))
	for i, r := range rows {
		reads[i] = storage.Op{Kind: storage.OpGet, Name: r.draft.account.Name, Brief: true}
	}
	results, err := c.manager.Do(ctx, reads...)
	if err != nil {
		return nil, err
	}
	bans := make(map[storage.Name]storage.Ban)
	for i := range results {
		switch {
		case results[i].Account != nil:
			bans[results[i].Account.Name] = results[i].Account.Ban
		case !errors.Is(results[i].Err, storage.ErrNotFound):
			return nil, aboutAccount(rows[i].draft.account.Name, results[i].Err)
		}
	}
	return bans, nil
}

// addresses bans ranges. The mode decides about a range that is banned already, as it
// does about an account that exists already.
func (c *committer) addresses(ctx context.Context, b *importBatch) error {
	rows := pick(b, isAddress)
	if len(rows) == 0 {
		return nil
	}
	if err := c.readAddresses(ctx); err != nil {
		return err
	}
	var ops []storage.Op
	var asked []*importRow
	for _, r := range rows {
		ban := r.draft.address
		old, there := c.banned[ban.Prefix]
		switch {
		case there && (old == ban.Ban || c.options.Mode == PutSkip):
			r.skip = true
		case there && c.options.Mode == PutNew:
			r.err = &subjectError{fmt.Sprintf("address %s is banned already; --update replaces its ban", ban.Prefix), storage.ErrExists}
		default:
			ops = append(ops, storage.Op{Kind: storage.OpBanAddress, Prefix: ban.Prefix, Ban: ban.Ban})
			asked = append(asked, r)
			c.banned[ban.Prefix] = ban.Ban
		}
	}
	return c.ask(ctx, ops, asked)
}

func (c *committer) readAddresses(ctx context.Context) error {
	if c.banned != nil {
		return nil
	}
	there, err := c.manager.AddressBans(ctx)
	if err != nil {
		return err
	}
	c.banned = make(map[netip.Prefix]storage.Ban, len(there))
	for _, b := range there {
		c.banned[b.Prefix] = b.Ban
	}
	return nil
}

// ask runs the ops of the rows and counts the results.
func (c *committer) ask(ctx context.Context, ops []storage.Op, rows []*importRow) error {
	if len(ops) == 0 {
		return nil
	}
	results := make([]storage.Result, len(ops))
	if !c.options.DryRun {
		var err error
		if results, err = c.manager.Do(ctx, ops...); err != nil {
			return err
		}
	}
	for i, r := range rows {
		err := results[i].Err
		switch d := &r.draft; {
		case fatal(err):
			return err
		case d.address != nil && err != nil:
			r.err = aboutAddress(d.address.Prefix, err)
		case err != nil:
			r.err = aboutAccount(d.account.Name, err)
		case d.address != nil:
			c.report.Addresses++
			c.report.Left.add(d.left)
		default:
			c.report.Banned++
			c.report.Left.add(d.left)
		}
	}
	return nil
}

// foresee counts what commit would do. It stores nothing.
func (c *committer) foresee(ctx context.Context, b *importBatch) error {
	c.sort(b)
	if err := c.addresses(ctx, b); err != nil {
		return err
	}
	if err := c.bans(ctx, b); err != nil {
		return err
	}
	rows := pick(b, isAccount)
	reads := make([]storage.Op, len(rows))
	for i, r := range rows {
		reads[i] = storage.Op{Kind: storage.OpGet, Name: r.draft.account.Name, Brief: true}
	}
	results, err := c.manager.Do(ctx, reads...)
	if err != nil {
		return err
	}
	for i, r := range rows {
		there := results[i].Account != nil
		result := putResult{outcome: outcomeAdded}
		switch {
		case there && c.options.Mode == PutSkip:
			result.outcome = outcomeSkipped
		case there && c.options.Mode == PutUpdate:
			gives := hasNative(&r.draft.account) || c.options.Native && r.draft.password != ""
			result = putResult{outcome: outcomeUpdated, lostNative: hasNative(results[i].Account) && !gives}
		case there:
			result = failed(r.draft.account.Name, storage.ErrExists)
			r.err = result.err
		}
		c.count(&r.draft, result)
	}
	c.note(b)
	return nil
}

// note reports the bad rows and the progress of a batch.
func (c *committer) note(b *importBatch) {
	for i := range b.rows {
		r := &b.rows[i]
		switch {
		case r.err != nil:
			c.report.Failed++
			c.options.OnBad(badRow(r))
		case r.skip:
			c.report.Skipped++
		}
	}
	c.report.Bytes = b.offset
	c.options.OnProgress(c.report)
}

func badRow(r *importRow) BadRow {
	bad := BadRow{Line: r.line, Reason: r.err}
	var about *subjectError
	if !errors.As(r.err, &about) {
		bad.Account = r.draft.account.Name.String()
	}
	var field *FieldError
	if errors.As(r.err, &field) && field.Field == "name" {
		bad.Reason = &FieldError{Field: "username", Problem: field.Problem, cause: field}
	}
	return bad
}

// NoStore is a Store without accounts. A dry run uses it when there is no store yet.
type NoStore struct{}

// Do stores nothing. Every op gets storage.ErrNotFound, except a read of address bans,
// which returns none.
func (NoStore) Do(_ context.Context, ops ...storage.Op) ([]storage.Result, error) {
	results := make([]storage.Result, len(ops))
	for i := range ops {
		results[i] = storage.Result{Kind: ops[i].Kind, Name: ops[i].Name}
		if ops[i].Kind != storage.OpAddressBans {
			results[i].Err = storage.ErrNotFound
		}
	}
	return results, nil
}
