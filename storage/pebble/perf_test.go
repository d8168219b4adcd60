package pebble

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

// allocsOfGet: the account itself, and one that Pebble makes for each of the two
// records where it looks into a table.
const allocsOfGet = 3

func TestGet_Allocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c := mustOpen(t, vfs.NewMem())
	storagetest.Fill(t, c, 0, 1000)
	storagetest.MustDo(t, c, storage.Op{Kind: storage.OpLogin, Name: storagetest.Account(1).Name, At: 1})
	db := c.Store().(*Store).db
	for _, flushed := range []bool{false, true} {
		if flushed {
			if err := db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		v := &view{db: db}
		for _, name := range []storage.Name{storagetest.Account(1).Name, storagetest.MustName(t, "nobody")} {
			op := &storage.Op{Kind: storage.OpGet, Name: name}
			if n := testing.AllocsPerRun(1000, func() { _ = v.answer(op) }); n > allocsOfGet {
				t.Errorf("%v, flushed %v: %v allocations, want at most %d", name, flushed, n, allocsOfGet)
			}
		}
	}
}

// The writer's side of a login, its share of the commit included.
func TestLogin_Allocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c := mustOpen(t, vfs.NewMem())
	b := newBuilder(c.Store().(*Store).db)
	ops := make([]storage.Op, notesEnough)
	for i := range ops {
		ops[i] = storage.Op{Kind: storage.OpLogin, Name: storagetest.Account(i).Name, At: 1}
	}
	results := make([]storage.Result, 0, len(ops))
	n := testing.AllocsPerRun(20, func() {
		b.begin(results)
		for i := range ops {
			b.add(&ops[i])
		}
		g, err := b.end()
		if err != nil {
			t.Fatal(err)
		}
		_ = g.batch.Close()
	})
	if n > notesEnough/10 {
		t.Errorf("%v allocations for %d logins", n, len(ops))
	}
}

// stocked makes a store on disk with n accounts, each of which has logged in.
func stocked(b *testing.B, n int) (dir string) {
	b.Helper()
	dir = b.TempDir()
	c, err := OpenClient(Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	storagetest.Fill(b, c, 0, n)
	ops := make([]storage.Op, 0, 20_000)
	for i := range n {
		if ops = append(ops, storage.Op{Kind: storage.OpLogin, Name: storagetest.Account(i).Name, At: 1}); len(ops) == cap(ops) || i == n-1 {
			storagetest.MustDo(b, c, ops...)
			ops = ops[:0]
		}
	}
	storagetest.MustClose(b, c)
	return dir
}

var sizes = []int{10_000, 1_000_000}

// BenchmarkOpen measures opening, the first read of an account, and closing.
func BenchmarkOpen(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("accounts=%d", n), func(b *testing.B) {
			dir := stocked(b, n)
			for b.Loop() {
				c, err := OpenClient(Options{Dir: dir})
				if err != nil {
					b.Fatal(err)
				}
				storagetest.MustDo(b, c, storage.Op{Kind: storage.OpGet, Name: storagetest.Account(n / 2).Name})
				storagetest.MustClose(b, c)
			}
		})
	}
}

// BenchmarkGet measures one OpGet of a random name, without the queue.
func BenchmarkGet(b *testing.B) {
	for _, n := range sizes {
		dir := stocked(b, n)
		c, err := OpenClient(Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		for _, known := range []bool{true, false} {
			b.Run(fmt.Sprintf("accounts=%d/known=%v", n, known), func(b *testing.B) {
				b.ReportAllocs()
				v, i := &view{db: c.Store().(*Store).db}, 0
				names := make([]storage.Name, 1<<16)
				for i := range names {
					names[i] = storagetest.Account(i * 7919 % n).Name
					if !known {
						names[i] = storagetest.MustName(b, names[i].String()+"x") // among the others, and not there
					}
				}
				for b.Loop() {
					r := v.answer(&storage.Op{Kind: storage.OpGet, Name: names[i&(1<<16-1)]})
					if (r.Err == nil) != known {
						b.Fatal(r.Err)
					}
					i++
				}
			})
		}
		storagetest.MustClose(b, c)
	}
}

// BenchmarkSubmit measures requests through the whole store, many at once.
func BenchmarkSubmit(b *testing.B) {
	for _, kind := range []storage.OpKind{storage.OpGet, storage.OpLogin, storage.OpLoginFailed, storage.OpBan, storage.OpCharacters, storage.OpDevice, storage.OpAddDevice, storage.OpRotateDevice} {
		b.Run(fmt.Sprintf("kind=%d", kind), func(b *testing.B) {
			b.ReportAllocs()
			const n = 10_000
			dir := stocked(b, n)
			if kind >= storage.OpDevice {
				handOutDevices(b, dir, n)
			}
			var left sync.WaitGroup
			var failures atomic.Int64
			p, err := Open(Options{Dir: dir, Deliver: func(rs []storage.Result) {
				for i := range rs {
					if rs[i].Err != nil {
						failures.Add(1)
					}
				}
				left.Add(-len(rs))
			}})
			if err != nil {
				b.Fatal(err)
			}
			ops, names, proven, i := make([]storage.Op, 32), make([]storage.Name, n), make([]storage.Credentials, n), 0
			for j := range names {
				a := storagetest.Account(j * 7919 % n)
				names[j], proven[j] = a.Name, a.Credentials()
			}
			b.ResetTimer()
			for b.Loop() {
				if i%len(ops) == 0 {
					for j := range ops {
						ops[j] = storage.Op{Kind: kind, Name: names[(i+j)%n], At: 1, World: 1, Count: uint8((i+j)/n + 1),
							Device: storagetest.Device(1), Expect: storagetest.Proof(1), Proven: proven[(i+j)%n]}
					}
					left.Add(len(ops))
					for todo := ops; len(todo) > 0; {
						todo = todo[p.Submit(todo):]
					}
				}
				i++
			}
			left.Wait()
			b.StopTimer()
			s := p.Stats()
			if s.Groups > 0 {
				b.ReportMetric(float64(s.Writes)/float64(s.Groups), "ops/group")
			}
			if err := p.Close(); err != nil || failures.Load() != 0 {
				b.Fatal(err, failures.Load())
			}
		})
	}
}

// handOutDevices gives each of n accounts one device.
func handOutDevices(b *testing.B, dir string, n int) {
	b.Helper()
	c, err := OpenClient(Options{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	ops := make([]storage.Op, n)
	for i := range ops {
		ops[i] = storagetest.AddDevice(storagetest.Account(i).Name, storagetest.Device(1))
	}
	storagetest.MustDo(b, c, ops...)
	storagetest.MustClose(b, c)
}

// BenchmarkCreate measures 100,000 new accounts through a Client, as in an import.
func BenchmarkCreate(b *testing.B) {
	const n = 100_000
	for b.Loop() {
		c, err := OpenClient(Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		storagetest.Fill(b, c, 0, n)
		b.ReportMetric(float64(n)/time.Since(start).Seconds(), "accounts/s")
		s := c.Store().(*Store).Stats()
		b.ReportMetric(float64(s.Writes)/float64(s.Groups), "ops/group")
		storagetest.MustClose(b, c)
	}
}
