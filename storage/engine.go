package storage

import (
	"context"
	"log/slog"
)

// Engine opens one store: it is a kind of database together with where the store is,
// such as a folder. Only the place that makes an Engine knows which kind it is.
type Engine interface {
	// Open opens the store for a command, which ends when a write fails. It creates the
	// store if there is none, except for reading. It fails with ErrNoStore, ErrLocked,
	// ErrFormat, ErrDamaged, or the cause.
	Open(OpenOptions) (Store, error)
	// Serve opens the store for a login server. The store answers reads for as long as
	// it can, also while changes fail, and takes changes again once that is possible.
	// Errors are those of Open. OpenOptions.ReadOnly has no effect.
	Serve(OpenOptions) (Served, error)
}

// OpenOptions say how a store is opened, whatever its engine.
type OpenOptions struct {
	// ReadOnly opens an existing store and changes nothing where it is. Requests that
	// change something get ErrReadOnly.
	ReadOnly bool
	// Deliver receives the results, in batches, on several goroutines of the store at
	// once. It may change the slice, which is the store's again when Deliver returns. It
	// must not block for long and must not call Close. Nil drops all results.
	Deliver func([]Result)
	// Logger receives what the engine reports; nil drops it. It must not block.
	Logger *slog.Logger
	// OnFatal is called once, on a goroutine of the store, when the store can no longer
	// do its work: after Open, when it takes no further writes; after Serve, when it can
	// no longer be read. It must not call Close.
	OnFatal func(error)
}

// Served is the store of a login server.
type Served interface {
	Store
	// WriteTrouble is why no changes are taken at the moment, an ErrFailed; nil while
	// they are. Any goroutine.
	WriteTrouble() error
	// ReadTrouble is why nothing can be read at the moment, an ErrReadFailed; nil while
	// it can be, and while requests are kept until it can. Any goroutine.
	ReadTrouble() error
	// ReadsIdle reports whether every read taken has been answered. Any goroutine.
	ReadsIdle() bool
	// Stats counts what the store has done. Any goroutine, also after Close.
	Stats() Stats
}

// Maintainer works on a store that no server has open. An engine has one if its stores
// can be damaged without an administrator of a database who repairs them.
type Maintainer interface {
	// Check reads the whole store and reports what is wrong. It changes nothing. The
	// error is ErrNoStore, ErrLocked, that of ctx, or that of a disk that cannot be
	// read; damage is in the report.
	Check(ctx context.Context) (*CheckReport, error)
	// Salvage reads what can be read of a damaged store and returns what cannot. It
	// changes nothing. Of each record it finds the newest state that can be read. Errors
	// are those of Check and those that to returns.
	Salvage(ctx context.Context, to Salvaged) (lost []Fault, err error)
	// RenewHead makes a new record of how much the store must hold, if only that record
	// is damaged. Any other damage is a DamageError. Changes that were stored last may
	// then be missing unnoticed.
	RenewHead() error
}
