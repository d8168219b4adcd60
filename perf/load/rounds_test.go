//go:build linux

package load

import (
	"context"
	"testing"
	"time"

	"gatepass/perf/load/players"
)

func TestRounds_ContextEnded_MeasuresNothingMore(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := Rounds{Times: 3, Login: LoginOptions{Clients: Clients{Accounts: players.MakeAccounts(1)}, Duration: time.Hour}}
	report, err := r.Run(ctx)
	if err != nil || !report.Interrupted || len(report.Servers) != 0 {
		t.Errorf("report %+v, %v, want an interrupted one", report, err)
	}
}
