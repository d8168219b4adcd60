// Package pebble is the embedded engine of package storage: a store in a folder, made
// of one Pebble database. No server beside gatepass is needed.
//
//	store, err := pebble.Open(pebble.Options{
//		Dir:     "data/accounts",
//		Deliver: inbox.Push, // results, in batches, from the store's goroutines
//		OnFatal: func(err error) { stop(err) },
//	})
//
// OpenSteady opens a store that keeps answering reads while the disk refuses writes;
// a login server uses that one. Check, Salvage and RenewHead work on a store that no
// server has open.
//
// # Goroutines
//
//	                  ┌ reads ──▶ queue ──▶ reader workers ────────────────▶ Deliver
//	Submit (anyone) ──┤
//	                  └ writes ─▶ queue ──▶ writer ─ group ─▶ Pebble's log
//	                                          │                  │ one sync
//	                                          └─ notes applied   └─▶ settle ─▶ Deliver
//
// Deliver is called by reader workers, the writer and settle at the same time.
//
// # The head
//
// The file gatepass.head is in the same folder as Pebble's files. It says what was
// acknowledged, and opening compares the folder with it (see head.go and DESIGN.md). Two
// slots are written in turn, at 0 and at 4096; of the whole ones the one with the higher
// generation is valid.
//
//	┌──────┬─────────┬───────┬────────────┬─ current, next ──────────────────┬──────────┬───────┬─ logs ───────────┬───────┐
//	│"gph1"│version 1│state 1│generation 8│ 2 × (manifest 8, size 8, CRC 4) │acked in 8│acked 8│count 1, 24 × log 8│CRC 4 │
//	└──────┴─────────┴───────┴────────────┴──────────────────────────────────┴──────────┴───────┴──────────────────┴───────┘
//
// Package records has the keys and the records. DESIGN.md has the decisions, the rejected
// alternatives and the measurements.
package pebble
