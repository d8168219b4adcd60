package accounts

import (
	"context"
	"fmt"
	"runtime"

	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// ImportOptions say how a file is read.
type ImportOptions struct {
	// Format of the file; FormatAuto decides by its content.
	Format Format
	// Header names the columns of a table whose first line does not.
	Header []string
	// Delimiter stands between fields; 0 decides by the header.
	Delimiter byte
	// Quotes and Escapes say whether fields of a table may stand in quotes, and whether
	// a backslash begins an escape.
	Quotes, Escapes Choice
	// Order is that of the bytes of salts and verifiers.
	Order ByteOrder
	// Mode decides about accounts that are there already.
	Mode PutMode
	// DryRun stores nothing: the report says what an import would do.
	DryRun bool
	// Workers parse rows and compute verifiers; 0 is one for each processor. With
	// Native there are no more than nativeMemory has room for.
	Workers int
	// Native makes native verifiers of passwords, which takes some 100 ms each;
	// NoGrunt makes none of the grunt protocol.
	Native, NoGrunt bool
	// OnBad, if set, is told each row that was not taken, in the order of the
	// file. OnProgress, if set, is told after each batch. Both are called on the
	// goroutine of Import.
	OnBad      func(BadRow)
	OnProgress func(ImportReport)
}

// BadRow is a row that was not taken.
type BadRow struct {
	// Line counts from 1; a row of several lines has that of the first.
	Line int
	// Account is empty where the name cannot be read, or stands in Reason.
	Account string
	// Reason begins with the column that is wrong, where it is one. It never holds a
	// password or a verifier.
	Reason error
}

// String is the line of a report.
func (b BadRow) String() string {
	if b.Account == "" {
		return fmt.Sprintf("line %d: %v", b.Line, b.Reason)
	}
	return fmt.Sprintf("line %d, account %s: %v", b.Line, b.Account, b.Reason)
}

// ImportReport is how far an import came.
type ImportReport struct {
	// Added, Updated, Skipped and Failed count rows. Skipped ones were there already, or
	// ask for nothing.
	Added, Updated, Skipped, Failed int
	// LostNative counts rows that took the native verifier of an account away and
	// brought no other.
	LostNative int
	// Banned counts accounts that a file of bans has banned, Addresses banned ranges
	// that were stored.
	Banned, Addresses int
	// Left is what the rows that were taken say and gatepass does not keep.
	Left LeftOut
	// Bytes of the file that are dealt with.
	Bytes int64
}

// Import stores the rows of a file that Look has read, in their order. Bad rows are
// told to OnBad and the rest goes in. What the report counts as added or updated
// is durable.
//
// Its error is ctx's when that ended (a batch begun is finished first), that of the
// file, or the store's. In every case the same file may be imported again. When ctx ends
// while the file blocks, one goroutine stays in its Read until that returns.
func (m *Manager) Import(ctx context.Context, plan *Plan) (ImportReport, error) {
	o := plan.options
	if o.OnBad == nil {
		o.OnBad = func(BadRow) {}
	}
	if o.OnProgress == nil {
		o.OnProgress = func(ImportReport) {}
	}
	if err := m.prepareNative(&o); err != nil {
		return ImportReport{}, err
	}
	p := newPipeline(plan, o)
	p.manager, p.parse = m, plan.parser(m.now())
	p.verifiers = verifiers{grunt: !o.NoGrunt, native: o.Native, params: m.options.Native}
	c := &committer{manager: m, options: o, seen: make(map[storage.Name]int)}
	p.take = c.commit
	if o.DryRun {
		p.dry, p.take = true, c.foresee
	}
	err := p.run(ctx)
	return c.report, err
}

// prepareNative checks what native verifiers are made with, and lets no more workers
// make them than there is memory for.
func (m *Manager) prepareNative(o *ImportOptions) error {
	if !o.Native {
		return nil
	}
	if err := m.options.Native.Validate(); err != nil {
		return &FieldError{Field: "native", Problem: err.Error(), cause: err}
	}
	o.Workers = NativeWorkers(m.options.Native, workers(o.Workers))
	return nil
}

func workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}

// NativeWorkers is how many of the workers of an import make native verifiers at a
// time: as many as there is memory for, and at least one. The params must be valid.
func NativeWorkers(p srp6a.Params, workers int) int {
	return min(workers, max(1, nativeMemory/(int(p.KDF.MemoryKiB)<<10)))
}

// survey reads every row before any is stored.
func (p *Plan) survey(ctx context.Context) error {
	var order orderCounts
	spaced := 0
	line := newPipeline(p, p.options)
	line.dry, line.parse = true, p.parser(0)
	line.take = func(_ context.Context, b *importBatch) error {
		p.Rows += len(b.rows)
		for i := range b.rows {
			d := &b.rows[i].draft
			order.add(d.order)
			if n := len(d.password); n > 0 && (d.password[0] == ' ' || d.password[n-1] == ' ') {
				spaced++
			}
		}
		return nil
	}
	if err := line.run(ctx); err != nil {
		return err
	}
	if spaced > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("passwords that begin or end with a space, which is taken for a part of them: %d", spaced))
	}
	return order.fault(p.options.Order)
}
