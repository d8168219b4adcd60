package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are the command-line options.
type options struct {
	n        int
	seed     uint64
	at       string
	floor    float64
	timeout  time.Duration
	short    bool
	list     bool
	verbose  bool
	patterns []string
}

const usage = `mutants changes the code in small ways and sees whether the tests notice.

    go run ./mutants [flags] PACKAGE...
    make mutants PKG="./server ./patches" N=20 SEED=7

It prints each mutant as file:line kind: before → after, and what became of it.
A survivor wants a test; if no test can tell it from the original, put the line
that is printed as its id into ` + acceptedFile + `, with the reason below it.
The exit code is 1 if fewer than -floor percent are caught.

`

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("mutants", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&o.n, "n", 20, "how many mutants to try")
	f.Uint64Var(&o.seed, "seed", 0, "draws the mutants; the same seed and code give the same ones; 0 takes a random one")
	f.StringVar(&o.at, "at", "", "try every mutant of this place, `FILE:LINE` or FILE, instead of random ones")
	f.Float64Var(&o.floor, "floor", 90, "percent that must be caught")
	f.DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long the tests of one mutant may take")
	f.BoolVar(&o.short, "short", false, "run the tests with -short")
	f.BoolVar(&o.list, "list", false, "print the mutants and run nothing")
	f.BoolVar(&o.verbose, "v", false, "print what killed each mutant")
	f.Usage = func() { fmt.Fprint(stderr, usage); f.PrintDefaults() }
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.patterns = f.Args(); len(o.patterns) == 0 {
		return o, errors.New("mutants: which packages? For example ./server; --help tells more")
	}
	if o.n < 1 {
		return o, fmt.Errorf("mutants: -n %d: at least 1", o.n)
	}
	return o, nil
}

// run returns the exit code: 0 if enough mutants were caught, 1 if not, 2 for an error on the
// command line or in the code, 130 if it was interrupted.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	var t *tally
	if err == nil {
		t, err = play(ctx, &o, stdout)
	}
	if t != nil {
		t.print(stdout)
	}
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "mutants: interrupted")
		return 130
	case err != nil:
		fmt.Fprintln(stderr, err)
		return 2
	case t != nil && t.rate() < o.floor:
		fmt.Fprintf(stderr, "mutants: %.0f %% are caught, the floor is %.0f %%\n", t.rate(), o.floor)
		return 1
	}
	return 0
}

// play tries the mutants. After an error, the tally holds the results so far.
func play(ctx context.Context, o *options, stdout io.Writer) (*tally, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	known, err := loadAccepted(filepath.Join(root, acceptedFile))
	if err != nil {
		return nil, err
	}
	targets, err := findTargets(ctx, root, o.patterns)
	if err != nil {
		return nil, err
	}
	all, err := findMutations(root, targets)
	if err != nil {
		return nil, err
	}
	all, most := choose(o, all, stdout)
	if len(all) == 0 {
		return nil, fmt.Errorf("mutants: nothing to change in %s", strings.Join(append(o.patterns, o.at), " "))
	}
	if o.list {
		for i := range min(most, len(all)) {
			fmt.Fprintln(stdout, &all[i].site)
		}
		return nil, nil
	}
	b, err := newBench(root, o.short, o.timeout)
	if err != nil {
		return nil, err
	}
	t := &tally{out: stdout, most: min(most, len(all)), accepted: known, verbose: o.verbose}
	return t, errors.Join(t.playAll(ctx, b, all), b.Close())
}

// choose returns the mutants in the order in which they are tried, and how many to try.
func choose(o *options, all []mutation, stdout io.Writer) ([]mutation, int) {
	if o.at != "" {
		var there []mutation
		for _, m := range all {
			if m.file == o.at || fmt.Sprintf("%s:%d", m.file, m.line) == o.at {
				there = append(there, m)
			}
		}
		return there, len(there)
	}
	for o.seed == 0 {
		o.seed = uint64(rand.Uint32())
	}
	fmt.Fprintf(stdout, "seed %d: %d of %d possible mutants\n", o.seed, min(o.n, len(all)), len(all))
	r := rand.New(rand.NewPCG(o.seed, 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all, o.n
}

// moduleRoot returns the nearest parent folder with a go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("mutants: no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

func loadAccepted(path string) (accepted, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	known, err := readAccepted(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return known, nil
}
