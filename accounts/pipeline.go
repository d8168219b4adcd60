package accounts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"gatepass/storage"
)

// pipeline reads a file once; doc.go draws it.
type pipeline struct {
	// static after construction
	plan    *Plan
	workers int
	options ImportOptions
	parse   func(row []byte) (draft, error)
	// rows ends a batch.
	rows int
	// dry pipelines make no verifiers and need no manager.
	dry       bool
	manager   *Manager
	verifiers verifiers
	// take gets the batches in the order of the file, on the goroutine of run.
	take func(context.Context, *importBatch) error
	// work goes to the workers; ordered has the same batches in the order of the
	// file. Both are closed by feed.
	work, ordered chan *importBatch
}

func newPipeline(plan *Plan, o ImportOptions) *pipeline {
	n := workers(o.Workers)
	p := &pipeline{
		plan: plan, options: o, workers: n, rows: batchRows,
		work: make(chan *importBatch, n), ordered: make(chan *importBatch, 2*n),
	}
	if o.Native {
		p.rows = nativeBatchRows
	}
	return p
}

// importBatch is owned by feed, then a worker, then, once ready is closed, the
// goroutine of run.
type importBatch struct {
	rows   []importRow
	bytes  int
	offset int64
	ready  chan struct{}
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

// run reads the file. Its error is that of the file, of take, or of ctx.
func (p *pipeline) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rows, err := p.plan.rows(&p.plan.dialect)
	if err == nil {
		err = p.plan.skipHeader(rows)
	}
	if err != nil {
		return err
	}
	go p.feed(ctx, rows)
	for range p.workers {
		go p.prepare(ctx)
	}
	return p.takeAll(ctx)
}

// skipHeader passes over the row that names the columns, or the version.
func (p *Plan) skipHeader(rows rowReader) error {
	if p.version == 0 && (p.columns == nil || p.header != nil) {
		return nil
	}
	_, err := firstRow(rows)
	return err
}

// feed cuts the file into batches and draws their salts.
func (p *pipeline) feed(ctx context.Context, rows rowReader) {
	defer close(p.work)
	defer close(p.ordered)
	for done := false; !done; {
		b := &importBatch{ready: make(chan struct{})}
		done = p.fill(b, rows)
		b.offset = p.plan.counted.n
		for _, ch := range []chan *importBatch{p.ordered, p.work} {
			select {
			case ch <- b:
			case <-ctx.Done():
				return
			}
		}
	}
}

// fill reads rows into a batch; true means that it is the last.
func (p *pipeline) fill(b *importBatch, rows rowReader) bool {
	for len(b.rows) < p.rows && b.bytes < batchBytes {
		text, err := rows.next()
		switch {
		case errors.Is(err, errLineTooLong) && rows.line() > 0:
			b.rows = append(b.rows, importRow{line: rows.line(), err: fmt.Errorf("%w: at most %d bytes", errLineTooLong, MaxImportLine)})
			continue
		case err != nil:
			if !errors.Is(err, io.EOF) {
				b.err = err
			}
			return true
		case len(text) == 0:
			continue
		}
		row := importRow{line: rows.line(), text: slices.Clone(text)}
		if !p.dry {
			if b.err = p.manager.draw(&row.salts); b.err != nil {
				return true
			}
		}
		b.rows, b.bytes = append(b.rows, row), b.bytes+len(text)
	}
	return false
}

// prepare parses rows and computes their verifiers. When ctx ends it leaves the rest
// of its batch, which is stored no more.
func (p *pipeline) prepare(ctx context.Context) {
	for b := range p.work {
		for i := range b.rows {
			if ctx.Err() != nil {
				return
			}
			if r := &b.rows[i]; r.err == nil {
				r.draft, r.err = p.parse(r.text)
				r.text = nil
			}
		}
		if !p.dry && !p.verify(ctx, b) {
			return
		}
		close(b.ready)
	}
}

// verify makes the verifiers of a batch; false when ctx has ended.
func (p *pipeline) verify(ctx context.Context, b *importBatch) bool {
	if p.options.Native && p.options.Mode != PutUpdate {
		p.passOver(ctx, b)
	}
	for i := range b.rows {
		if ctx.Err() != nil {
			return false
		}
		if r := &b.rows[i]; r.err == nil && !r.skip {
			r.draft.finish(&p.verifiers, &r.salts)
		}
	}
	return true
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
	results, err := p.manager.Do(ctx, reads...)
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

// takeAll hands the batches on in their order.
func (p *pipeline) takeAll(ctx context.Context) error {
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
		if err := p.take(ctx, b); err != nil {
			return err
		}
		if b.err != nil {
			return b.err
		}
	}
}
