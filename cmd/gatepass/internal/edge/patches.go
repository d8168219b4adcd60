package edge

import (
	"context"
	"time"

	"gatepass/logic"
	"gatepass/patches"
)

// watchPatches sends the logic each new state of the catalogue of patches, until ctx ends.
func (e *Edge) watchPatches(ctx context.Context) {
	first := e.versions
	e.versions = nil // see countPatches
	patches.Watch(ctx, patches.WatchOptions{
		Dir: e.config.PatchesDir(), Defaults: e.config.KnownBuilds(), First: first, Logger: e.log.With("part", "patches"),
		Publish: func(set *patches.Set) {
			e.countPatches(set)
			for !e.inbox.Command(logic.Command{Kind: logic.CommandVersions, Versions: set}) && ctx.Err() == nil {
				time.Sleep(logic.TickEvery)
			}
		},
	})
}

// countPatches stores how many patches there are, for the metrics. The metrics do not
// hold the set itself, which would keep its files open.
func (e *Edge) countPatches(set *patches.Set) {
	counts := set.Counts()
	e.patches.Store(&counts)
}
