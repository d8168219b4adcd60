package gatepass_test

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// readsClock are the files that may ask package time what time it is, each with what for.
// Whatever decides by how long something has lasted counts by deadline.Now: the wall
// clock may be set at any moment, and Go's monotonic clock stands still while the machine
// sleeps.
var readsClock = map[string]string{
	// Stamps, and the ends of bans, which people give as a date.
	"accounts/manager.go":                        "stamps of accounts and bans",
	"cmd/gatepass/internal/cli/account/ban.go":   "a ban's end from its length",
	"cmd/gatepass/internal/cli/region/bus.go":    "the first day of certificates",
	"cmd/gatepass/internal/edge/clock.go":        "authenticator codes, stamps, the ends of bans and devices",
	"cmd/gatepass/internal/process/roles/bus.go": "the first day of certificates; the age of a time that is told to people",
	"worlds/bus/leader.go":                       "a time that is told to people",
	"worlds/bus/lead/manager.go":                 "epochs, which rise whatever the clock does",
	"worlds/bus/lead/monitor.go":                 "a time that is shown to people",
	"worlds/bus/busserver/server.go":             "the last day of certificates",
	"worlds/bus/bustest/bustest.go":              "how long a test waits",
	"worlds/bus/bustest/correspondent.go":        "the clock of a test's node",
	"worlds/dns/options.go":                      "the serial number of the zone",
	"patches/store.go":                           "ages of files by their stamps; a wait of some seconds for a lock",
	"patches/sweep.go":                           "ages of files by their stamps",
	"client/filetokens.go":                       "ages of files by their stamps",
	// Limits of one read or write, which Go's poller counts.
	"worlds/dns/tcp.go":  "limits of reads",
	"worlds/bus/conn.go": "what is left of a context",
	"client/link.go":     "limits of reads and writes",
	"client/update.go":   "limits of reads",
	// How long something has taken, to be shown or counted.
	"storage/pebble/writer.go":                       "how long a sync took, a metric",
	"storage/pebble/mend.go":                         "how long a disk took no writes, which is logged",
	"storage/pebble/steady.go":                       "since when a disk takes no writes, which is logged",
	"cmd/gatepass/internal/cli/account/import.go":    "how long an import took",
	"cmd/gatepass/internal/cli/account/native.go":    "how long a password takes",
	"cmd/gatepass/internal/cli/terminal/progress.go": "how often progress is shown",
	"cmd/gatepass/internal/cli/terminal/bytes.go":    "the rate that is shown",
	"cmd/gatepass/internal/cli/client/download.go":   "how often progress is shown",
	"cmd/gatepass/internal/cli/client/tea.go":        "the countdown that is shown",
	// Fractions of a second.
	"server/idler.go": "naps of less than a millisecond",
	"cmd/gatepass/internal/process/netpoll_linux.go": "naps of less than a millisecond",
	// Which of two connections has rested longer.
	"cmd/gatepass/internal/process/admin_conns.go": "an order, not an age",
	// A game's client, on a player's machine: after a sleep it comes back anyhow.
	"client/run.go":  "pauses between attempts",
	"client/take.go": "pauses between attempts, and until when a pass is good",
	// The clock itself.
	"deadline/now_other.go": "the clock of systems that have no better one",
}

// clockless are folders whose programs are no servers: they measure and change the tree.
var clockless = []string{"perf", "mutants"}

func TestLayout_DeadlinesCountByOneClock(t *testing.T) {
	unused := make(map[string]bool, len(readsClock))
	for path := range readsClock {
		unused[path] = true
	}
	for _, s := range sources(t) {
		if s.isTest() || slices.Contains(clockless, s.folder()) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || !isClock(sel) {
				return true
			}
			if delete(unused, s.path); readsClock[s.path] == "" {
				t.Errorf("%s: time.%s follows a clock that may be set or stand still; count by deadline.Now, or give the reason in readsClock",
					s.fset.Position(sel.Pos()), sel.Sel.Name)
			}
			return true
		})
	}
	for path := range unused {
		t.Errorf("%s reads no clock any more: take it out of readsClock", path)
	}
}

// isClock tells whether an expression is a function of package time that reads a clock.
func isClock(sel *ast.SelectorExpr) bool {
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "time" && strings.Contains(" Now Since Until ", " "+sel.Sel.Name+" ")
}
