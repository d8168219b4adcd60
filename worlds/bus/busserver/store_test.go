package busserver_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"

	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// smallDisk is a folder with a disk of its own of that size.
func smallDisk(tb testing.TB, size string) string {
	tb.Helper()
	dir := filepath.Join(tb.TempDir(), "small")
	if err := os.Mkdir(dir, 0o700); err != nil {
		tb.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		if os.Getenv("CI") != "" {
			tb.Fatalf("no small disk to be had, which needs root: %v", err)
		}
		tb.Skipf("no small disk to be had, run this as root: %v", err)
	}
	tb.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			tb.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// fillDisk writes a file until there is no room; empty makes room again.
func fillDisk(tb testing.TB, dir string) (empty func()) {
	tb.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			tb.Error(err)
		}
	}
}

// putUntilRefused writes until the server sees that its store fails. It returns the
// last revision that was acknowledged.
func putUntilRefused(tb testing.TB, s *busserver.Server, kv jetstream.KeyValue) (last uint64) {
	tb.Helper()
	filler := make([]byte, 1000)
	bustest.Eventually(tb, "the store is seen to fail", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), busserver.StoreLook)
		defer cancel()
		if rev, err := kv.Put(ctx, "1", filler); err == nil {
			last = rev
		}
		return !s.Store().FailingSince.IsZero()
	})
	return last
}

// A disk that was full for a while leaves the server as it was: it takes writes
// again when there is room, what it had acknowledged is there, and nodes connect again, at
// the same address.
func TestServer_StoreComesBackWhenThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	disk := smallDisk(t, "8m")
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Store: disk, Listen: "127.0.0.1:0", Logger: bustest.Log(t)})
	within := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "manager.a"), nats.ReconnectWait(busserver.RetryMin), nats.MaxReconnects(-1))
	before := s.URL()
	remote, err := nats.Connect(before, nats.UserCredentials(bustest.MustCreds(t, a, "world.7")), nats.ReconnectWait(busserver.RetryMin), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer remote.Close()
	kv := bustest.MustBucket(t, within, wire.BucketWorlds)
	first := mustPut(t, kv, "2")
	for range 2 {
		empty := fillDisk(t, disk)
		last := putUntilRefused(t, s, kv)
		if s.Store().Fault == nil {
			t.Error("it does not say why")
		}
		empty()
		bustest.Eventually(t, "the store takes writes again", func() bool { return s.Store().FailingSince.IsZero() })
		for _, c := range []*nats.Conn{within, remote} {
			bustest.Eventually(t, "a node is there again", func() bool { return c.FlushTimeout(busserver.StoreLook) == nil })
		}
		ctx := context.Background()
		if e, err := kv.Get(ctx, "key"); err != nil || e.Revision() != first {
			t.Errorf("%v is there, %d was acknowledged: %v", e, first, err)
		}
		if rev, err := kv.Put(ctx, "1", nil); err != nil || rev <= last {
			t.Errorf("revision %d after %d: %v", rev, last, err)
		}
	}
	if url := s.URL(); url != before {
		t.Errorf("it is at %s now, it was at %s", url, before)
	}
	if st := s.Store(); st.Faults != 2 || st.Restarts < 2 {
		t.Errorf("%+v", st)
	}
	if _, err := os.Stat(filepath.Join(disk, busserver.ProbeFile)); !os.IsNotExist(err) {
		t.Errorf("a probe is left: %v", err)
	}
}

// A server of a cluster whose disk was full takes its part again.
func TestCluster_StoreComesBackWhenThereIsRoomAgain(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	routes := bustest.MustFreeAddrs(t, 3)
	var all []*busserver.Server
	var disks []string
	for i, route := range routes {
		disks = append(disks, smallDisk(t, "8m"))
		all = append(all, bustest.MustServer(t, busserver.Options{
			Dir: a.Dir(), Store: disks[i], Listen: "127.0.0.1:0", Name: "bus-" + strconv.Itoa(i), ClusterListen: route, Routes: routes,
			Logger: bustest.Log(t),
		}))
	}
	mustHaveBuckets(t, all)
	client := bustest.MustJoin(t, all[0], bustest.MustCreds(t, a, "manager.a"), nats.ReconnectWait(busserver.RetryMin), nats.MaxReconnects(-1))
	kv := bustest.MustBucket(t, client, wire.BucketWorlds)
	first := mustPut(t, kv, "2")
	var rooms []func()
	for _, disk := range disks {
		rooms = append(rooms, fillDisk(t, disk))
	}
	putUntilRefused(t, all[0], kv)
	for _, empty := range rooms {
		empty()
	}
	bustest.EventuallyWithin(t, 6*bustest.Patience, "the cluster takes writes again", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), busserver.StoreLook)
		defer cancel()
		_, err := kv.Put(ctx, "1", nil)
		return err == nil
	})
	for _, s := range all {
		bustest.EventuallyWithin(t, 6*bustest.Patience, "a server takes its part", func() bool {
			return s.Store().FailingSince.IsZero() && s.NATS().Healthz(nil).Error == ""
		})
	}
	if e, err := kv.Get(context.Background(), "key"); err != nil || e.Revision() != first {
		t.Errorf("%v is there, %d was acknowledged: %v", e, first, err)
	}
}

// A stream that is being made has a folder before JetStream has it. That is no fault of the
// store, and a restart would only break the making off.
func TestServer_StreamThatIsMadeIsNoFault(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Logger: bustest.Log(t)})
	streams, err := filepath.Glob(filepath.Join(a.Dir(), "jetstream", "*", "*", "streams"))
	if err != nil || len(streams) != 1 {
		t.Fatalf("%q: %v", streams, err)
	}
	if err := os.Mkdir(filepath.Join(streams[0], wire.StreamOf("made")), 0o700); err != nil {
		t.Fatal(err)
	}
	if s.NATS().Healthz(nil).Error == "" {
		t.Fatal("NATS does not call that unhealthy any more: this test shows nothing")
	}
	w := busserver.NewStoreWatch(s, bustest.Log(t))
	w.Look(t.Context())
	if st := w.Read(); st.Fault != nil || st.Faults != 0 || st.Restarts != 0 {
		t.Errorf("%+v", st)
	}
}

// What the watch sees while the server is closed is not mended: JetStream would go on in a
// server that has ended.
func TestServer_ClosedIsNotMended(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Logger: bustest.Log(t)})
	s.EndBackground() // its own watch has to end, this one takes its place
	if err := s.NATS().ShutdownJetStream(); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	end()
	w := busserver.NewStoreWatch(s, bustest.Log(t))
	w.Look(ctx)
	if st := w.Read(); st.Faults != 1 || st.Restarts != 0 {
		t.Errorf("%+v", st)
	}
}

// A server can be replaced while managers ask JetStream. It answers as before, at the same
// address, and whoever was revoked meanwhile stays out.
func TestServer_IsReplacedWhileItIsAsked(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0", Logger: bustest.Log(t)})
	before, revoked := s.URL(), bustest.MustCreds(t, a, "world.7")
	client := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "manager.a"), nats.ReconnectWait(busserver.RetryMin), nats.MaxReconnects(-1))
	ctx, stop := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		for ctx.Err() == nil {
			_, _ = client.Request("$JS.API.STREAM.INFO."+wire.StreamOf(wire.BucketLease), nil, busserver.RetryMin)
		}
	})
	if err := a.Revoke("world.7"); err != nil {
		t.Fatal(err)
	}
	out := func() bool {
		c, err := nats.Connect(before, nats.UserCredentials(revoked))
		if err == nil {
			c.Close()
		}
		return errors.Is(err, nats.ErrAuthorization)
	}
	bustest.Eventually(t, "the revoked node is out", out)
	for range 3 {
		if err := s.RestartNATS(t.Context()); err != nil {
			t.Fatal(err)
		}
		bustest.Eventually(t, "a manager is there again", func() bool { return client.FlushTimeout(busserver.StoreLook) == nil })
	}
	stop()
	asking.Wait()
	if url := s.URL(); url != before {
		t.Errorf("it is at %s now, it was at %s", url, before)
	}
	if !out() {
		t.Error("a revoked node connects")
	}
	mustPut(t, bustest.MustBucket(t, client, wire.BucketWorlds), "1")
}

// A node of this process that connects while the server is replaced tries on.
func TestServer_InProcessConnComesLater(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir(), Logger: bustest.Log(t)})
	s.StopNATS()
	if _, err := s.InProcessConn(); err == nil || !retry.Passes(err) {
		t.Errorf("%v", err)
	}
}
