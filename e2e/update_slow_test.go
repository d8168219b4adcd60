package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	native "gatepass/client"
)

// TestUpdate_Stalled: who takes nothing of a file is closed, who takes it slowly is not.
// Slowly is faster here than a line has to be, as the limit is shorter: within it the
// client has to take what the kernel had of the file, before the server sees that.
// No other test runs meanwhile: this client must keep its own pace.
func TestUpdate_Stalled(t *testing.T) {
	f := newPatchFile(t, 8<<20)
	g := startNativePatched(t, setup{env: []string{"GATEPASS_UPDATES__STALL_LIMIT=1s"}}, f, "ana")
	addPatch(t, g.data, wayVanilla, f)
	addPatch(t, g.data, wayTBC, f)
	g.untilAnswered(agedTBC, 0)
	slow := dialNarrow(t, g.grunt, agedTBC)
	g.account("s\n", "add", "--no-native", "--password-stdin", "slow")
	slow.offered(who{"SLOW", "s"}, f)
	slow.send(acceptFile)
	silent := dialNarrow(t, g.grunt, aged)
	silent.offered(demo, f)
	silent.send(acceptFile)
	own := startDownload(t, offeredTo(t, g.said["native"], "ana", oldBuild))
	own.untilHalf()

	begin, came := time.Now(), 0
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	closed := func() bool {
		return g.metric("gatepass_transfers_stalled_total") == 2 && g.metric("gatepass_connections_closed_total", "reason", "slow") == 2
	}
	for !closed() || time.Since(begin) < 2500*time.Millisecond {
		<-tick.C
		came += len(slow.frames(64 << 10))
		if time.Since(begin) > patience/2 {
			t.Fatal("who takes nothing is not closed")
		}
	}
	if came := len(silent.rest()); came > len(f.content)/2 {
		t.Errorf("%d bytes were kept for who took nothing", came)
	}
	if _, err := own.result(); !errors.Is(err, native.ErrUpdateBroken) {
		t.Errorf("a native client that acknowledges nothing: %v", err)
	}
	slow.mustGet(f.content[came:])
	slow.close()
	g.untilIdle()
	g.healthy()
}

// held is what a process holds.
type held struct{ files, residentKiB int }

func (g *gatepass) holds() (h held) {
	g.t.Helper()
	proc := fmt.Sprintf("/proc/%d", g.cmd.Process.Pid)
	h.files = len(mustReadDir(g.t, filepath.Join(proc, "fd")))
	status, err := os.ReadFile(filepath.Join(proc, "status"))
	must(g.t, err)
	resident := strings.Fields(grep(string(status), "VmRSS:"))
	h.residentKiB, err = strconv.Atoi(resident[1])
	must(g.t, err)
	return h
}

// TestUpdate_StalledCrowd: hundreds who have asked for a file and take nothing of it
// hinder nobody, and leave nothing behind when they go.
func TestUpdate_StalledCrowd(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 8<<20)
	g := startPatched(t, setup{}, f, wayVanilla)
	size := 300
	if testing.Short() {
		size = 50
	}
	g.account("", "import", writeFile(t, "players.csv", playersCSV(size)))
	g.healthy()
	g.untilIdle()
	before := g.holds()

	crowd := make([]*client, size)
	var players sync.WaitGroup
	for worker := range 10 {
		players.Go(func() {
			for i := worker; i < size; i += 10 {
				crowd[i] = dialNarrow(t, g.grunt, aged)
				crowd[i].offered(who{fmt.Sprintf("P%d", i), fmt.Sprintf("SECRET%d", i)}, f)
				crowd[i].send(acceptFile)
			}
		})
	}
	players.Wait()
	eventually(t, "all are being sent the file", func() bool { return g.metric("gatepass_updates_sending") == float64(size) })
	for range 5 {
		begin := time.Now()
		g.healthy()
		t.Logf("a login and the metrics take %v beside %d who take nothing", time.Since(begin), size)
	}
	// One that reads gets it all the same.
	reader := dial(t, g.grunt, aged)
	reader.offered(demo, f)
	reader.send(acceptFile)
	reader.mustGet(f.content)
	reader.close()
	during := g.holds()
	for i, c := range crowd {
		if i%2 == 0 {
			c.send(cancelFile)
		}
		c.close()
	}
	g.untilIdle()
	eventually(t, "its files are closed", func() bool { return g.holds().files <= before.files+2 })
	after := g.holds()
	t.Logf("before %+v, during %+v, after %+v", before, during, after)
	if grown := during.residentKiB - before.residentKiB; grown > 64<<10 {
		t.Errorf("%d transfers hold %d KiB", size, grown)
	}
	g.healthy()
}
