package accounts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"gatepass/storage"
)

// pipeline reads a file once. doc.go has a diagram.
type pipeline struct {
	// static after construction
	plan    *Plan
	workers int
	options ImportOptions
	parse   func(row []byte) (draft, error)
	// rows is the number of rows in a full batch.
	rows int
	// dry pipelines compute no verifiers and need no manager.
	dry       bool
	manager   *Manager
	verifiers verifiers
	// take receives the batches in the order of the file, on the goroutine of run.
	take func(context.Context, *importBatch) error
	// work passes batches to the workers. ordered passes the same batches in the order
	// of the file. feed closes both.
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

// feed owns an importBatch first, then a worker. After ready is closed, the goroutine
// of run owns it.
type importBatch struct {
	rows   []importRow
	bytes  int
	offset int64
	ready  chan struct{}
	// err ends the import after this batch.
	err error
}

type importRow struct {
	line  int
	text  []byte
	salts salts
	draft draft
	// skip: the row changes nothing, or its account exists and stays as it is.
	skip bool
	err  error
}

// run reads the whole file. Its error is that of the file, of take or of ctx.
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

// skipHeader skips the row that has the column names or the version.
func (p *Plan) skipHeader(rows rowReader) error {
	if p.version == 0 && (p.columns == nil || p.header != nil) {
		return nil
	}
	_, err := firstRow(rows)
	return err
}

// feed splits the file into batches and draws their salts.
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

// fill reads rows into a batch. It returns true for the last batch.
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

// prepare parses rows and computes their verifiers. When ctx ends, it leaves the batch
// unfinished, and that batch is not stored.
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

// verify computes the verifiers of a batch. It returns false if ctx has ended.
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

// passOver marks rows whose accounts exist already, so that no native verifier is
// computed for a row that the mode refuses or skips. If this read fails, the store
// decides later, when the row has its verifier.
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

// takeAll passes the batches to take in their order.
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
