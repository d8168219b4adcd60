package edge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatepass/logic"
	"gatepass/storage"
)

// saltsEvery is how long after a change of accounts their salts are sampled again. An
// import of many accounts is then sampled a few times only.
const saltsEvery = 3 * time.Second

// readDecoys reads the stored parameters of decoys, which are the accounts that the server
// simulates for unknown names, and samples the salts of real accounts.
func (e *Edge) readDecoys(ctx context.Context) (kept storage.Decoys, now storage.SaltShape, err error) {
	results, err := e.store.Do(ctx, storage.Op{Kind: storage.OpDecoys}, storage.Op{Kind: storage.OpSampleSalts})
	if err != nil {
		return kept, now, fmt.Errorf("the store cannot be read: %w", err)
	}
	if results[1].Err != nil {
		return kept, now, fmt.Errorf("the accounts' salts cannot be read: %w", results[1].Err)
	}
	now = results[1].Decoys.Salts
	switch err := results[0].Err; {
	case errors.Is(err, storage.ErrNotFound):
		kept.Salts = now
		return kept, now, nil
	case err != nil:
		return kept, now, fmt.Errorf("what accounts are made up of for unknown names cannot be read: %w", err)
	}
	return *results[0].Decoys, now, nil
}

// watchSalts sends the logic a sample of the salts, saltsEvery after each change, until ctx
// ends.
func (e *Edge) watchSalts(ctx context.Context) {
	for {
		select {
		case <-e.newSalts:
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(saltsEvery):
		case <-ctx.Done():
			return
		}
		if _, now, err := e.readDecoys(ctx); err == nil {
			e.inbox.Command(logic.Command{Kind: logic.CommandSalts, Salts: now}) // if the inbox is full, the next change sends a newer one
		} else if ctx.Err() == nil {
			e.log.Warn("salts of new accounts could not be looked at", "error", err)
		}
	}
}
