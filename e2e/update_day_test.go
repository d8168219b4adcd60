package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"

	native "gatepass/client"
)

// TestUpdate_Day: clients of both protocols are brought up to date, some leave in the
// middle, an operator edits the catalogue all the time, and others log in as if nothing
// were going on.
func TestUpdate_Day(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 2<<20+5)
	natives := []string{"ana", "bea", "cora", "dora"}
	g := startNativePatched(t, setup{env: []string{"GATEPASS_UPDATES__AT_ONCE=5"}}, f, natives...)
	addPatch(t, g.data, wayVanilla, f)
	g.untilAnswered(aged, 0)
	const existing = 24
	g.account("", "import", writeFile(t, "players.csv", playersCSV(existing)))

	over, end := context.WithCancel(context.Background())
	var others, players sync.WaitGroup
	others.Go(func() {
		for n := 0; over.Err() == nil; n++ {
			patch(t, g.data, "mark", fmt.Sprint(4000+n%7), []string{"current", "refused", "accepted"}[n%3])
		}
	})
	logins := 0
	others.Go(func() {
		for ; over.Err() == nil; logins++ {
			c := dial(t, g.grunt, wotlk)
			c.mustLogin(demo)
			c.worlds()
			c.close()
		}
	})
	for worker := range 6 {
		players.Go(func() {
			for i := worker; i < existing; i += 6 {
				c := dialNarrow(t, g.grunt, aged)
				c.offered(who{fmt.Sprintf("P%d", i), fmt.Sprintf("SECRET%d", i)}, f)
				c.send(acceptFile)
				if i%4 == 3 {
					c.frames(100_000)
				} else {
					c.mustGet(f.content)
				}
				c.close()
			}
		})
	}
	for _, name := range natives {
		offer := offeredTo(t, g.said["native"], name, oldBuild)
		players.Go(func() {
			path, err := offer.Download(within20(t), native.DownloadOptions{Dir: t.TempDir(), Window: narrow})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			f.check(t, path)
		})
	}
	players.Wait()
	end()
	others.Wait()
	t.Logf("%d logins beside", logins)
	g.untilOutcome("update-done", existing*3/4+float64(len(natives)))
	if logins == 0 {
		t.Error("nobody could log in beside")
	}
	g.untilIdle()
	g.healthy()
}
