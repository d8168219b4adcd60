package storage_test

import (
	"testing"

	"gatepass/storage"
)

func TestBan_Active(t *testing.T) {
	for _, c := range []struct {
		ban  storage.Ban
		now  int64
		want bool
	}{
		{storage.Ban{}, 5, false},
		{storage.Ban{Set: true}, 5, true},
		{storage.Ban{Set: true, Until: 6}, 5, true},
		{storage.Ban{Set: true, Until: 5}, 5, false},
		{storage.Ban{Until: 6}, 5, false},
	} {
		if got := c.ban.Active(c.now); got != c.want {
			t.Errorf("%+v at %d: %v", c.ban, c.now, got)
		}
	}
}
