//go:build linux

package load

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// mustPatch makes a file of so many bytes.
func mustPatch(t testing.TB, size uint64) *PatchFile {
	t.Helper()
	f, err := MakePatchFile(context.Background(), filepath.Join(t.TempDir(), "patch"), size, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// mustPatchFloor serves a floor with a file until the test ends.
func mustPatchFloor(t testing.TB, f *PatchFile) Target {
	t.Helper()
	floor, err := ListenPatchFloor(netip.MustParseAddrPort("127.0.0.1:0"), f.Path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- floor.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("floor: %v", err)
		}
	})
	return Target{Addr: floor.Addr(), Canned: true, PIDs: self()}
}

// takers are clients of their own accounts.
func takers(n int, byNative bool) Clients {
	c := Clients{Accounts: MakeAccounts(n)}
	if byNative {
		c.Native = NewPlayers(c.Accounts, false)
	}
	return c
}

func TestPatchFile_Has_KnowsEveryByte(t *testing.T) {
	f := mustPatch(t, 3*patternBlock+777)
	all, err := os.ReadFile(f.Path)
	if err != nil || uint64(len(all)) != f.Size {
		t.Fatalf("%d bytes, %v", len(all), err)
	}
	for _, at := range []int{0, 3, 8, patternBlock - 5, 2 * patternBlock, len(all) - 9} {
		piece := bytes.Clone(all[at:min(len(all), at+patternBlock+20)])
		if !f.has(uint64(at), piece) {
			t.Errorf("the piece at %d is not known", at)
		}
		for _, bad := range []int{0, len(piece) / 2, len(piece) - 1} {
			piece[bad] ^= 1
			if f.has(uint64(at), piece) {
				t.Errorf("the piece at %d is taken with byte %d changed", at, bad)
			}
			piece[bad] ^= 1
		}
	}
	if f.has(patternBlock, all[:patternBlock]) {
		t.Error("a block is taken for another one")
	}
	if f.has(f.Size-1, all[len(all)-1:][:1:1]) != true || f.has(f.Size, []byte{0}) || f.has(f.Size+1, nil) {
		t.Error("the end is not known")
	}
}

func TestMakePatchFile_ContextEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := MakePatchFile(ctx, filepath.Join(t.TempDir(), "patch"), 1<<20, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want that of the context", err)
	}
}

func TestRunThroughput_Floor_SendsWholeFiles(t *testing.T) {
	for _, size := range []uint64{1, 4096, 2<<20 + 4095} {
		file := mustPatch(t, size)
		floor := mustPatchFloor(t, file)
		whole := false
		for turn := 100 * time.Millisecond; !whole; turn *= 2 { // a busy machine needs a longer one
			o := ThroughputOptions{
				Clients: takers(6, false), Floor: &floor, File: file, Takers: 6, Checkers: 2,
				Warmup: time.Millisecond, Duration: turn, Times: 1,
			}
			run, err := RunThroughput(context.Background(), floor, o, NewProgress(new(strings.Builder)))
			if err != nil {
				t.Fatal(err)
			}
			o.EnsureDefaults()
			servers := run.Report(&o).Servers
			whole = !slices.ContainsFunc(servers, func(s SendReport) bool {
				return s.Files == 0 || s.Bytes == 0 || s.Checked == 0 || len(s.Faults) > 0
			})
			if !whole && turn > 5*time.Second {
				t.Fatalf("%d bytes: %+v, want whole files", size, servers)
			}
		}
	}
}

func TestRunStalled_Floor_HoldsThemAll(t *testing.T) {
	file := mustPatch(t, 8<<20)
	floor := mustPatchFloor(t, file)
	o := StalledOptions{Clients: takers(50, false), File: file, Transfers: 50, Settle: time.Millisecond, Hold: time.Millisecond}
	run, err := RunStalled(context.Background(), floor, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := run.Report()
	if r.Offered != 50 || r.Held != 50 || r.Dropped != 0 || len(r.Faults) > 0 || r.Before == 0 || r.After == 0 || r.End == 0 {
		t.Errorf("%+v, want 50 held", r)
	}
}

func TestRunStalled_NoProcess(t *testing.T) {
	_, err := RunStalled(context.Background(), Target{}, StalledOptions{Clients: takers(1, false), File: mustPatch(t, 1), Transfers: 1}, nil)
	if !errors.Is(err, ErrNoProcess) {
		t.Errorf("err = %v, want ErrNoProcess", err)
	}
}

func TestPatchOptions_Validate_NamesEachFault(t *testing.T) {
	for _, c := range []struct {
		o    interface{ Validate() error }
		want []string
	}{
		{&ThroughputOptions{Takers: 3, Checkers: 4}, []string{"no accounts", "0 accounts for 3 clients", "no file", "4 of 3 clients check", "rounds 0"}},
		{&StalledOptions{Settle: -1}, []string{"clients 0: want 1", "a negative length"}},
		{&BesideOptions{Login: LoginOptions{Rate: -1}}, []string{"rate -1", "rounds 0"}},
	} {
		err := c.o.Validate()
		if !errors.Is(err, ErrOptions) {
			t.Fatalf("%T: %v, want ErrOptions", c.o, err)
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%T: %v does not say %q", c.o, err, want)
			}
		}
	}
}

func TestParseSockstat(t *testing.T) {
	n, err := parseSockstat([]byte("sockets: used 15\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 42\nUDP: inuse 0 mem 7\n"))
	if err != nil || n != 42 {
		t.Errorf("%d, %v, want 42", n, err)
	}
	if _, err := parseSockstat([]byte("UDP: inuse 0 mem 7\n")); err == nil {
		t.Error("found what is not there")
	}
}
