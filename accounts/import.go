package accounts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// ImportOptions say how a file is read.
type ImportOptions struct {
	// Format of the file.
	Format Format
	// Mode decides about accounts that are there already.
	Mode PutMode
	// Workers parse lines and compute verifiers; at least 1. With Native there are no
	// more than nativeMemory has room for.
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
	// Line counts from 1.
	Line int
	// Reason never holds a password or a verifier.
	Reason error
}

// ImportReport is how far an import came.
type ImportReport struct {
	// Added, Updated, Skipped and Failed count rows.
	Added, Updated, Skipped, Failed int
	// LostNative counts rows that took the native verifier of an account away and
	// brought no other.
	LostNative int
	// Addresses counts banned ranges that were stored.
	Addresses int
	// Bytes of the file that are dealt with.
	Bytes int64
	// Ignored names the columns that mean nothing here.
	Ignored []string
}

// Import reads a file of accounts and stores its rows in their order. Bad rows are
// told to OnBad and the rest goes in. What the report counts as added or updated
// is durable.
//
// Its error is errHeader and the like for a file that is no table, ctx's when
// that ended (a batch begun is finished first), or the store's. In every case
// the same file may be imported again. When ctx ends while in blocks, one
// goroutine stays in its Read until that returns.
func (m *Manager) Import(ctx context.Context, in io.Reader, o ImportOptions) (ImportReport, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.OnBad == nil {
		o.OnBad = func(BadRow) {}
	}
	if o.OnProgress == nil {
		o.OnProgress = func(ImportReport) {}
	}
	if err := m.prepareNative(&o); err != nil {
		return ImportReport{}, err
	}
	p := pipeline{
		manager: m, options: o, rows: batchRows,
		verifiers: verifiers{grunt: !o.NoGrunt, native: o.Native, params: m.options.Native},
		work:      make(chan *importBatch, o.Workers), ordered: make(chan *importBatch, 2*o.Workers),
	}
	if o.Native {
		p.rows = nativeBatchRows
	}
	go p.feed(ctx, in)
	for range o.Workers {
		go p.prepare(ctx)
	}
	err := p.commitAll(ctx)
	slices.Sort(p.report.Ignored)
	return p.report, err
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
	o.Workers = NativeWorkers(m.options.Native, o.Workers)
	return nil
}

// NativeWorkers is how many of the workers of an import make native verifiers at a
// time: as many as there is memory for, and at least one. The params must be valid.
func NativeWorkers(p srp6a.Params, workers int) int {
	return min(workers, max(1, nativeMemory/(int(p.KDF.MemoryKiB)<<10)))
}

// pipeline is one Import; doc.go draws it.
type pipeline struct {
	// static after construction
	manager   *Manager
	options   ImportOptions
	verifiers verifiers
	// rows ends a batch.
	rows int
	// work goes to the workers; ordered has the same batches in the order of the
	// file. Both are closed by feed.
	work, ordered chan *importBatch

	// owned by the goroutine of Import
	report ImportReport
	// banned is what is banned already; nil until it is asked for.
	banned map[netip.Prefix]storage.Ban
}

// importBatch is owned by feed, then a worker, then, once ready is closed, the
// goroutine of Import.
type importBatch struct {
	rows    []importRow
	bytes   int
	offset  int64
	parse   func(line []byte) (draft, []string, error)
	ignored []string
	ready   chan struct{}
	// err ends the import behind this batch.
	err error
}

type importRow struct {
	line  int
	text  []byte
	salts salts
	draft draft
	// skip says that the account is there and may stay as it is.
	skip bool
	err  error
}

// feed cuts the file into batches and draws their salts.
func (p *pipeline) feed(ctx context.Context, in io.Reader) {
	defer close(p.work)
	defer close(p.ordered)
	lines := newLineReader(in)
	var source rowSource
	for done := false; !done; {
		b := &importBatch{ready: make(chan struct{})}
		done = p.fill(b, lines, &source)
		b.offset, b.parse = lines.offset, source.parse
		for _, ch := range []chan *importBatch{p.ordered, p.work} {
			select {
			case ch <- b:
			case <-ctx.Done():
				return
			}
		}
	}
}

// fill reads lines into a batch; true means that it is the last.
func (p *pipeline) fill(b *importBatch, lines *lineReader, source *rowSource) bool {
	for len(b.rows) < p.rows && b.bytes < batchBytes {
		text, err := lines.next()
		switch {
		case errors.Is(err, errLineTooLong) && source.parse != nil:
			b.rows = append(b.rows, importRow{line: lines.number, err: fmt.Errorf("%w: at most %d bytes", err, MaxImportLine)})
			continue
		case errors.Is(err, io.EOF):
			if source.parse == nil {
				b.err = errHeader
			}
			return true
		case err == nil && source.parse == nil && len(text) > 0:
			var row bool
			row, err = source.open(text, p.options.Format)
			b.ignored = source.ignored
			if err == nil && !row {
				continue
			}
		}
		if err != nil {
			b.err = err
			return true
		}
		if len(text) == 0 {
			continue
		}
		row := importRow{line: lines.number, text: slices.Clone(text)}
		if b.err = p.manager.draw(&row.salts); b.err != nil {
			return true
		}
		b.rows, b.bytes = append(b.rows, row), b.bytes+len(text)
	}
	return false
}

// rowSource knows how rows are written once it has seen the first line.
type rowSource struct {
	parse   func(line []byte) (draft, []string, error)
	ignored []string
}

// open looks at the first line of a file; true means that it is a row already.
func (s *rowSource) open(line []byte, format Format) (bool, error) {
	if format == FormatAuto {
		format = sniff(line)
	}
	if format == FormatNDJSON {
		version, err := exportVersionOf(line)
		s.parse = (&objects{version}).parse
		return version == 0, err
	}
	t, err := parseHeader(line, format)
	if err != nil {
		return false, err
	}
	s.parse, s.ignored = t.parse, t.ignored
	return false, nil
}

// prepare parses rows and computes their verifiers. When ctx ends it leaves the rest
// of its batch, which is stored no more.
func (p *pipeline) prepare(ctx context.Context) {
	for b := range p.work {
		for i := range b.rows {
			if ctx.Err() != nil {
				return
			}
			p.parseRow(b, &b.rows[i])
		}
		if p.options.Native && p.options.Mode != PutUpdate {
			p.passOver(ctx, b)
		}
		for i := range b.rows {
			if ctx.Err() != nil {
				return
			}
			if r := &b.rows[i]; r.err == nil && !r.skip {
				r.draft.finish(&p.verifiers, &r.salts)
			}
		}
		close(b.ready)
	}
}

// passOver marks the rows whose accounts are there already, so that no native verifier
// is made for what the mode refuses or skips. What the store cannot tell now it will
// be asked once more, with the verifier made.
func (p *pipeline) passOver(ctx context.Context, b *importBatch) {
	var reads []storage.Op
	var rows []*importRow
	for i := range b.rows {
		if r := &b.rows[i]; r.err == nil && r.draft.password != "" {
			reads = append(reads, storage.Op{Kind: storage.OpGet, Name: r.draft.account.Name})
			rows = append(rows, r)
		}
	}
	if len(reads) == 0 {
		return
	}
	results, err := p.manager.do(ctx, reads...)
	if err != nil {
		return
	}
	for i, r := range rows {
		switch {
		case results[i].Account == nil:
		case p.options.Mode == PutSkip:
			r.skip = true
		default:
			r.err = aboutAccount(r.draft.account.Name, storage.ErrExists)
		}
	}
}

func (p *pipeline) parseRow(b *importBatch, r *importRow) {
	if r.err != nil {
		return
	}
	var unknown []string
	r.draft, unknown, r.err = b.parse(r.text)
	for _, name := range unknown {
		if !slices.Contains(b.ignored, name) {
			b.ignored = append(b.ignored, name)
		}
	}
	r.text = nil
}

// commitAll stores the batches in order.
func (p *pipeline) commitAll(ctx context.Context) error {
	for {
		var b *importBatch
		select {
		case b = <-p.ordered:
		case <-ctx.Done():
			return ctx.Err()
		}
		if b == nil {
			return nil
		}
		select {
		case <-b.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := p.commit(ctx, b); err != nil {
			return err
		}
		if b.err != nil {
			return b.err
		}
	}
}

func (p *pipeline) commit(ctx context.Context, b *importBatch) error {
	// Not ctx: a batch that the store has begun is waited for, so that the
	// report tells what is in.
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
	defer cancel()
	var good []*draft
	for i := range b.rows {
		r := &b.rows[i]
		switch d := &r.draft; {
		case r.err != nil || r.skip:
		case d.address != nil:
			if err := p.banAddress(wait, r); err != nil {
				return err
			}
		default:
			if d.account.Created == 0 && !d.asStored {
				d.account.Created = p.manager.now()
			}
			good = append(good, d)
		}
	}
	var results []putResult
	if len(good) > 0 {
		var err error
		if results, err = p.manager.put(wait, good, p.options.Mode); err != nil {
			return err
		}
	}
	for i := range b.rows {
		r := &b.rows[i]
		switch {
		case r.skip:
			p.report.Skipped++
		case r.err == nil && r.draft.address == nil:
			r.err = p.count(results[0])
			results = results[1:]
		}
		if r.err != nil {
			p.report.Failed++
			p.options.OnBad(BadRow{r.line, r.err})
		}
	}
	p.note(b)
	return nil
}

// banAddress stores a banned range. One that is banned already is treated like an
// account that is there already.
func (p *pipeline) banAddress(ctx context.Context, r *importRow) error {
	ban := r.draft.address
	if p.banned == nil {
		there, err := p.manager.AddressBans(ctx)
		if err != nil {
			return err
		}
		p.banned = make(map[netip.Prefix]storage.Ban, len(there))
		for _, b := range there {
			p.banned[b.Prefix] = b.Ban
		}
	}
	old, there := p.banned[ban.Prefix]
	switch {
	case there && (old == ban.Ban || p.options.Mode == PutSkip):
		r.skip = true
		return nil
	case there && p.options.Mode == PutNew:
		r.err = &subjectError{fmt.Sprintf("address %s is banned already", ban.Prefix), storage.ErrExists}
		return nil
	}
	_, err := p.manager.one(ctx, storage.Op{Kind: storage.OpBanAddress, Prefix: ban.Prefix, Ban: ban.Ban})
	if fatal(err) {
		return err
	}
	if r.err = aboutAddress(ban.Prefix, err); r.err == nil {
		p.banned[ban.Prefix] = ban.Ban
		p.report.Addresses++
	}
	return nil
}

// count gives the error of a row that was not taken.
func (p *pipeline) count(r putResult) error {
	switch r.outcome {
	case outcomeAdded:
		p.report.Added++
	case outcomeUpdated:
		p.report.Updated++
		if r.lostNative {
			p.report.LostNative++
		}
	case outcomeSkipped:
		p.report.Skipped++
	}
	return r.err
}

// note tells the progress that a batch made.
func (p *pipeline) note(b *importBatch) {
	p.report.Bytes = b.offset
	for _, name := range b.ignored {
		if len(p.report.Ignored) < maxIgnored && !slices.Contains(p.report.Ignored, name) {
			p.report.Ignored = append(p.report.Ignored, name)
		}
	}
	p.options.OnProgress(p.report)
}
