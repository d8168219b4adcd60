package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"

	"gatepass/accounts"
	"gatepass/storage"
)

// damagedStore is a store in which one address ban cannot be read.
type damagedStore struct{ accounts.Store }

func (s damagedStore) Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error) {
	results, err := s.Store.Do(ctx, ops...)
	for i := range results {
		if results[i].Kind == storage.OpAddressBans {
			results[i].Damaged = []string{"10.0.0.0/8: corrupt"}
		}
	}
	return results, err
}

// A ban that cannot be read is named, beside those that can, on the socket too; an
// export does not leave it out in silence.
func TestManager_AddressBansThatAreDamaged(t *testing.T) {
	local := accounts.New(damagedStore{newTestStore(t)}, testOptions())
	for name, m := range map[string]*accounts.Manager{"local": local, "remote": through(t, local)} {
		prefix, err := accounts.ParsePrefix("203.0.113.0/24")
		if err != nil {
			t.Fatal(err)
		}
		if err := m.BanAddress(t.Context(), prefix, accounts.Sentence{Forever: true}); err != nil {
			t.Fatal(err)
		}
		bans, err := m.AddressBans(t.Context())
		var damage *accounts.DamagedBansError
		if len(bans) != 1 || bans[0].Prefix != prefix || !errors.As(err, &damage) || !strings.Contains(err.Error(), "10.0.0.0/8") {
			t.Errorf("%s: %v, %v", name, bans, err)
		}
		if _, err := m.Export(t.Context(), io.Discard, accounts.ExportOptions{Format: accounts.FormatNDJSON}); !errors.As(err, &damage) {
			t.Errorf("%s: export: %v", name, err)
		}
	}
}

// fullStore is a store whose disk is full.
type fullStore struct{ accounts.Store }

func (s fullStore) Do(_ context.Context, ops ...storage.Op) ([]storage.Result, error) {
	results := make([]storage.Result, len(ops))
	for i := range ops {
		results[i] = storage.Result{Kind: ops[i].Kind, Err: fmt.Errorf("%w: write /secret/path: %w", storage.ErrFailed, syscall.ENOSPC)}
	}
	return results, nil
}

// A client is told what the disk says, and nothing else of the cause.
func TestClient_FullDisk(t *testing.T) {
	err := through(t, accounts.New(fullStore{}, testOptions())).Ban(t.Context(), "alice", accounts.Sentence{Forever: true})
	if !errors.Is(err, storage.ErrFailed) || !strings.Contains(err.Error(), "no space left on device") || strings.Contains(err.Error(), "path") {
		t.Errorf("got %v", err)
	}
}
