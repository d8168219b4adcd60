package e2e

import (
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestUpdate_Rate: what leaves the server in sum keeps to the limit, and all have alike
// of it.
func TestUpdate_Rate(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 8<<20)
	g := startPatched(t, setup{env: []string{"GATEPASS_UPDATES__RATE=1"}}, f, wayVanilla)
	g.account("s\n", "add", "--no-native", "--password-stdin", "other")
	players := []who{demo, {"OTHER", "s"}}
	came := make([]atomic.Int64, len(players))
	clients := make([]*client, len(players))
	for i, w := range players {
		clients[i] = dialNarrow(t, g.grunt, aged)
		clients[i].offered(w, f)
	}
	begin := time.Now()
	var takers sync.WaitGroup
	for i, c := range clients {
		c.send(acceptFile)
		c.conn.SetReadDeadline(time.Now().Add(patience))
		takers.Go(func() { count(c.conn, &came[i]) })
	}
	// Long enough that what may go out at once is little beside it.
	sum := func() int64 { return came[0].Load() + came[1].Load() }
	eventually(t, "2 MiB have come", func() bool { return sum() >= 2<<20 })
	total, took := sum(), time.Since(begin)
	least, most := min(came[0].Load(), came[1].Load()), max(came[0].Load(), came[1].Load())
	for _, c := range clients {
		c.close()
	}
	takers.Wait()
	if limit := 1.5 * (1 << 20) * took.Seconds(); float64(total) > limit {
		t.Errorf("%d bytes came within %v", total, took)
	}
	if took > patience/2 {
		t.Errorf("%d bytes took %v", total, took)
	}
	if most > 3*least {
		t.Errorf("one got %d bytes and the other %d", most, least)
	}
	g.untilIdle()
	g.healthy()
}

// count adds up the bytes of a file that come over a connection, until its end.
func count(from io.Reader, n *atomic.Int64) {
	b := make([]byte, 3+4096)
	for {
		if _, err := io.ReadFull(from, b[:3]); err != nil {
			return
		}
		size, err := io.ReadFull(from, b[:min(4096, binary.LittleEndian.Uint16(b[1:]))])
		n.Add(int64(size))
		if err != nil {
			return
		}
	}
}
