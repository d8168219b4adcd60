package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// tally tries mutants, prints each result, and counts the results.
type tally struct {
	out      io.Writer
	most     int
	accepted accepted
	verbose  bool

	caught, timeouts, equivalent, noBuild int
	survivors                             []mutation
}

// tried returns how many mutants were built and run.
func (t *tally) tried() int { return t.caught + t.equivalent + len(t.survivors) }

// playAll tries mutants until enough of them could be built.
func (t *tally) playAll(ctx context.Context, b *bench, all []mutation) error {
	for i := 0; i < len(all) && t.tried() < t.most; i++ {
		if err := t.play(ctx, b, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *tally) play(ctx context.Context, b *bench, m *mutation) error {
	if err := b.measure(ctx, m.target); err != nil {
		return err
	}
	begin := time.Now()
	what, said, err := b.try(ctx, m)
	if err != nil {
		return err
	}
	reason, known := t.accepted[m.id]
	word := string(what)
	switch {
	case what == outcomeNoBuild:
		t.noBuild++
		return nil
	case what == outcomeSurvived && known:
		t.equivalent++
		word = "equivalent"
	case what == outcomeSurvived:
		t.survivors = append(t.survivors, *m)
	default:
		t.caught++
		if what == outcomeTimeout {
			t.timeouts++
		}
	}
	fmt.Fprintf(t.out, "%d/%d %s %v %v\n", t.tried(), t.most, word, &m.site, time.Since(begin).Round(100*time.Millisecond))
	if word == "equivalent" {
		fmt.Fprintf(t.out, "    %s\n", reason)
	}
	if t.verbose && what == outcomeKilled {
		fmt.Fprintf(t.out, "    %s\n", firstFailure(said))
	}
	return nil
}

// firstFailure returns the line of a test's output that names the failed test.
func firstFailure(said string) string {
	for line := range strings.Lines(said) {
		if strings.Contains(line, "--- FAIL") || strings.Contains(line, "panic: ") {
			return strings.TrimSpace(line)
		}
	}
	return "no test is named"
}

// rate returns how many percent of the mutants that a test can catch were caught.
func (t *tally) rate() float64 {
	if t.caught+len(t.survivors) == 0 {
		return 100
	}
	return 100 * float64(t.caught) / float64(t.caught+len(t.survivors))
}

func (t *tally) print(w io.Writer) {
	fmt.Fprintf(w, "%d mutants: %d caught (%d by the time limit), %d survived, %d equivalent; %.0f %% of those that matter are caught; %d more did not build\n",
		t.tried(), t.caught, t.timeouts, len(t.survivors), t.equivalent, t.rate(), t.noBuild)
	for i := range t.survivors {
		fmt.Fprintf(w, "survived: %v\n    id: %s\n", &t.survivors[i].site, t.survivors[i].id)
	}
}
