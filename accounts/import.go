package accounts

import (
	"context"
	"fmt"
	"runtime"

	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// ImportOptions select how a file is read.
type ImportOptions struct {
	// Format is the format of the file. FormatAuto detects it.
	Format Format
	// Header names the columns of a table whose first line does not.
	Header []string
	// Delimiter separates fields. 0 detects it from the header.
	Delimiter byte
	// Quotes says whether fields of a table can be in quotes, Escapes whether a
	// backslash starts an escape.
	Quotes, Escapes Choice
	// Order is the byte order of salts and verifiers.
	Order ByteOrder
	// Mode decides about accounts that exist already.
	Mode PutMode
	// DryRun stores nothing. The report says what an import would do.
	DryRun bool
	// Workers is the number of goroutines that parse rows and compute verifiers. 0
	// means one for each processor. With Native, nativeMemory can lower the number.
	Workers int
	// Native computes native verifiers from passwords, which takes about 100 ms each.
	// NoGrunt computes no grunt verifiers.
	Native, NoGrunt bool
	// OnBad, if set, is called for each refused row, in the order of the file.
	// OnProgress, if set, is called after each batch. Both run on the goroutine of
	// Import.
	OnBad      func(BadRow)
	OnProgress func(ImportReport)
}

// BadRow is a row that was refused.
type BadRow struct {
	// Line counts from 1. A row of several lines has the number of its first line.
	Line int
	// Account is empty if the name cannot be read or if Reason contains it.
	Account string
	// Reason starts with the name of the wrong column, if one column is wrong. It never
	// contains a password or a verifier.
	Reason error
}

// String returns one line for a report.
func (b BadRow) String() string {
	if b.Account == "" {
		return fmt.Sprintf("line %d: %v", b.Line, b.Reason)
	}
	return fmt.Sprintf("line %d, account %s: %v", b.Line, b.Account, b.Reason)
}

// ImportReport counts the results of an import.
type ImportReport struct {
	// Added, Updated, Skipped and Failed count rows. A skipped row changes nothing, or
	// its account exists already.
	Added, Updated, Skipped, Failed int
	// LostNative counts rows that removed the native verifier of an account without a
	// new one.
	LostNative int
	// Banned counts accounts that a file of bans has banned. Addresses counts banned
	// ranges that were stored.
	Banned, Addresses int
	// Left counts the data of stored rows that gatepass does not keep.
	Left LeftOut
	// Bytes is how many bytes of the file are processed.
	Bytes int64
}

// Import stores the rows of a file that Look has read, in their order. It reports bad
// rows to OnBad and stores the others. Rows that the report counts as added or updated
// are durable.
//
// Its error is that of ctx, of the file or of the store. When ctx ends, Import first
// finishes the batch that it has started. After any error the same file can be imported
// again. If ctx ends while a read of the file blocks, one goroutine stays in Read until
// the read returns.
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

// prepareNative checks the parameters of native verifiers and lowers the number of
// workers to what fits into nativeMemory.
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

// NativeWorkers returns how many workers of an import can compute native verifiers at
// the same time: as many as nativeMemory allows, and at least one. The params must be
// valid.
func NativeWorkers(p srp6a.Params, workers int) int {
	return min(workers, max(1, nativeMemory/(int(p.KDF.MemoryKiB)<<10)))
}

// survey reads every row before the first one is stored.
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
