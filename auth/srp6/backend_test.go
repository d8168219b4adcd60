package srp6

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// arithmetic is one function of a backend, as BenchmarkBackend calls it.
type arithmetic struct {
	name string
	call func(f backend, z *limbs)
}

// arithmetics returns all functions that have an assembly version. The inputs have the sizes
// of a login: a 19-byte secret is 38 digits.
func arithmetics() []arithmetic {
	base := seven()
	var w window
	w.fill(backendPortable, &base)
	tables := make([]window, 38)
	for i := range tables {
		tables[i] = w
	}
	digits := make([]byte, 38)
	for i := range digits {
		digits[i] = byte(7*i) & 15
	}
	return []arithmetic{
		{"mul", func(f backend, z *limbs) { f.mul(z, z, &base) }},
		{"sqr", func(f backend, z *limbs) { f.sqr(z, z, 4) }},
		{"power", func(f backend, z *limbs) { f.power(z, &w, digits) }},
		{"comb", func(f backend, z *limbs) { f.comb(z, tables, digits) }},
	}
}

// BenchmarkBackend measures each assembly function and the portable one in alternating
// batches. It fails if the assembly is slower on this machine: one instruction that a
// processor handles badly once cost a third of a login, and no test failed. It compares the
// best batch of each, so other work on the machine does not matter.
func BenchmarkBackend(b *testing.B) {
	if native == backendPortable {
		b.Skip("this machine or build has the portable arithmetic only")
	}
	for _, a := range arithmetics() {
		b.Run("func="+a.name, func(b *testing.B) {
			portable, assembly := time.Hour, time.Hour
			p, n := one(), one()
			for b.Loop() {
				portable = min(portable, batch(a, backendPortable, &p))
				assembly = min(assembly, batch(a, native, &n))
			}
			p.reduce()
			n.reduce()
			if p != n {
				b.Fatalf("%s: %x, portable %x", native, n, p)
			}
			ratio := float64(portable) / float64(assembly)
			b.ReportMetric(0, "ns/op") // of both together, which has no meaning
			b.ReportMetric(float64(assembly)/batchSize, "ns/call")
			b.ReportMetric(ratio, "x-portable")
			if ratio < 1 {
				b.Errorf("%s is slower than portable code on this machine: %.2f times as fast", native, ratio)
			}
		})
	}
}

// batchSize is the number of calls in one measurement: enough for the clock's resolution, and
// few enough that at least one batch is not interrupted by other work.
const batchSize = 200

// batch returns the time that batchSize calls take.
func batch(a arithmetic, f backend, z *limbs) time.Duration {
	start := time.Now()
	for range batchSize {
		a.call(f, z)
	}
	return time.Since(start)
}

// TestAssembly_UsesNoSSEInstruction looks for an instruction that uses a vector register and
// is not VEX-encoded. Among AVX2 code such an instruction costs Intel processors dozens of
// cycles, and no result shows it.
func TestAssembly_UsesNoSSEInstruction(t *testing.T) {
	files, err := filepath.Glob("*.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly found: %v", err)
	}
	vector := regexp.MustCompile(`\b[XYZ]\d+\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for i, line := range strings.Split(string(text), "\n") {
			code, _, _ := strings.Cut(line, "//")
			if !vector.MatchString(code) {
				continue
			}
			found++
			if name := strings.Fields(code)[0]; !strings.HasPrefix(name, "V") {
				t.Errorf("%s:%d: %s is an SSE instruction; use its VEX form", file, i+1, strings.TrimSpace(code))
			}
		}
		if found == 0 {
			t.Errorf("%s: no line with a vector register was recognised", file)
		}
	}
}
