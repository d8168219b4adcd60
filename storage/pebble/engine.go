package pebble

import (
	"context"

	"gatepass/storage"
)

// Engine is the store in Options.Dir, for callers of package storage. What they say in
// storage.OpenOptions replaces the fields of the same name.
type Engine struct{ Options Options }

var (
	_ storage.Engine     = Engine{}
	_ storage.Maintainer = Engine{}
)

// Open opens the store for a command.
func (e Engine) Open(o storage.OpenOptions) (storage.Store, error) {
	store, err := Open(e.with(o))
	if err != nil {
		return nil, err
	}
	return store, nil
}

// Serve opens the store for a login server, as a Steady.
func (e Engine) Serve(o storage.OpenOptions) (storage.Served, error) {
	steady, err := OpenSteady(e.with(o))
	if err != nil {
		return nil, err
	}
	return steady, nil
}

func (e Engine) with(o storage.OpenOptions) Options {
	all := e.Options
	all.ReadOnly, all.Deliver, all.Logger, all.OnFatal = o.ReadOnly, o.Deliver, o.Logger, o.OnFatal
	return all
}

// Check is Check with the engine's options.
func (e Engine) Check(ctx context.Context) (*storage.CheckReport, error) {
	return Check(ctx, e.Options)
}

// Salvage is Salvage with the engine's options.
func (e Engine) Salvage(ctx context.Context, to storage.Salvaged) ([]storage.Fault, error) {
	return Salvage(ctx, e.Options, to)
}

// RenewHead is RenewHead with the engine's options.
func (e Engine) RenewHead() error { return RenewHead(e.Options) }
