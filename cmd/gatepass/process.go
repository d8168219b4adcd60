package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"gatepass/worlds/bus"
)

// process is one gatepass process: parts that were started one after the other
// and stop the other way round, with one log and one admin listener.
type process struct {
	config *config
	log    *asyncLog
	admin  *adminListener
	out    io.Writer
	errOut io.Writer
	parts  []part
	conns  []*bus.Conn
	// said is what the line says that begins with "ready": names and values in turn.
	said []any
}

// part is something that a process runs. All fields but name may be nil.
type part struct {
	name string
	// failed brings the error with which it can do its work no longer.
	failed <-chan error
	// alive says what is wrong with it while it runs, ready why nobody should be
	// sent to it just now, degraded what it cannot do although it works.
	alive, ready, degraded func() error
	// drain lets what is under way finish and nothing new begin, until ctx ends.
	drain func(ctx context.Context)
	close func() error
	// metrics are its own.
	metrics prometheus.Collector
}

// gcPercent is how much the heap may grow between two collections, in percent of what
// is live; GOGC in the environment goes before. Most of what is live is the store's
// cache, in which the collector finds no pointers, so that it costs little to look
// more often; with Go's default a burst of sign-ins would leave as much garbage
// standing about as there is of everything else.
const gcPercent = 25

// runProcess is every role's story: start, say so, wait, drain, close. build
// starts the parts.
func runProcess(cmd *cobra.Command, c *config, build func(ctx context.Context, p *process) error) (err error) {
	defer func() { err = c.Log.ending(err) }()
	ctx := cmd.Context()
	if asJSON, ok := ctx.Value(jsonKey{}).(*atomic.Bool); ok {
		asJSON.Store(c.Log.Format == formatJSON)
	}
	log, err := newLog(c, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer log.close()
	runtime.GOMAXPROCS(c.Procs)
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	signal.Ignore(syscall.SIGPIPE) // whoever read what we say has gone; that ends no server
	p := &process{config: c, log: log, out: cmd.OutOrStdout(), errOut: cmd.ErrOrStderr()}
	if p.admin, err = newAdmin(c.Admin, log.Logger); err != nil {
		return err
	}
	p.add(part{name: "admin", close: func() error { p.admin.close(); return nil }})
	p.add(part{name: "process", metrics: processCollector{log}})
	if err := build(ctx, p); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = nil // told to go while it started
		}
		return errors.Join(err, p.close())
	}
	if c.Procs == 1 {
		polling, stop := context.WithCancel(context.Background())
		defer stop()
		go keepPolling(polling, p.busTraffic)
	}
	p.admin.alive, p.admin.able, p.admin.degraded = p.alive, p.able, p.degraded
	if err := p.admin.serve(p, log.Logger); err != nil {
		return errors.Join(err, p.close())
	}
	p.admin.ready.Store(true)
	p.say("admin", fmt.Sprintf("http://%s", p.admin.addr()), "procs", c.Procs)
	p.print("ready", p.said...)
	failure := p.wait(ctx)
	if failure == nil {
		p.print("draining")
		p.drain()
	}
	return errors.Join(failure, p.close())
}

func (p *process) add(q part) { p.parts = append(p.parts, q) }

// busTraffic counts the messages of the process's connections to the bus. Anywhere,
// once the parts have started.
func (p *process) busTraffic() (n uint64) {
	for _, conn := range p.conns {
		st := conn.Stats()
		n += st.Received + st.Sent
	}
	return n
}

// say puts names and values, in turn, on the ready line.
func (p *process) say(named ...any) { p.said = append(p.said, named...) }

// print writes a line on the standard output: the message and what is named, as
// name=value; or, where the log is JSON, an object as the log has them, so that both
// can be read as one stream.
func (p *process) print(message string, named ...any) {
	if p.config.Log.Format == formatJSON {
		slog.New(jsonLines(p.out, slog.LevelInfo)).Info(message, named...)
		return
	}
	var line strings.Builder
	line.WriteString(message)
	for i := 0; i+1 < len(named); i += 2 {
		fmt.Fprintf(&line, " %v=%v", named[i], named[i+1])
	}
	fmt.Fprintln(p.out, line.String())
}

// printText is print with a text of its own where the log is text: a sentence to people.
func (p *process) printText(text, message string, named ...any) {
	if p.config.Log.Format == formatJSON {
		p.print(message, named...)
		return
	}
	fmt.Fprintln(p.out, text)
}

// wait returns when ctx ends (nil) or when a part has failed.
func (p *process) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures := make(chan error, len(p.parts))
	for _, q := range p.parts {
		if q.failed == nil {
			continue
		}
		go func() {
			select {
			case err := <-q.failed:
				failures <- fmt.Errorf("%s: %w", q.name, err)
			case <-ctx.Done():
			}
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failures:
		return err
	}
}

// drain drains the parts, those that serve clients first: they were started last.
func (p *process) drain() {
	p.admin.ready.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), p.config.DrainLimit)
	defer cancel()
	for i := range p.parts {
		if drain := p.parts[len(p.parts)-1-i].drain; drain != nil {
			drain(ctx)
		}
	}
}

// closeLimit is how long close waits for the parts. They end within a second
// unless one of them hangs, and then the process should end all the same.
const closeLimit = 30 * time.Second

// close stops the parts in reverse order.
func (p *process) close() error {
	ended := make(chan error, 1)
	go func() {
		var faults []error
		for i := range p.parts {
			if stop := p.parts[len(p.parts)-1-i].close; stop != nil {
				faults = append(faults, stop())
			}
		}
		ended <- errors.Join(faults...)
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(closeLimit):
		return fmt.Errorf("a part did not end within %v", closeLimit)
	}
}

// alive is the process's health.
func (p *process) alive() error { return p.first(func(q *part) func() error { return q.alive }) }

// able is the process's readiness, once it has started.
func (p *process) able() error { return p.first(func(q *part) func() error { return q.ready }) }

// degraded is what the process cannot do although it works.
func (p *process) degraded() error {
	return p.first(func(q *part) func() error { return q.degraded })
}

// first asks the parts and returns the first fault, with the part's name.
func (p *process) first(question func(*part) func() error) error {
	for i := range p.parts {
		if ask := question(&p.parts[i]); ask != nil {
			if err := ask(); err != nil {
				return fmt.Errorf("%s: %w", p.parts[i].name, err)
			}
		}
	}
	return nil
}

// Describe says nothing: the metrics are made anew each time.
func (*process) Describe(chan<- *prometheus.Desc) {}

// Collect reads all parts. Any goroutine.
func (p *process) Collect(out chan<- prometheus.Metric) {
	for _, q := range p.parts {
		if q.metrics != nil {
			q.metrics.Collect(out)
		}
	}
}

// processCollector shows what every role has.
type processCollector struct{ log *asyncLog }

// Describe says nothing: the metrics are made anew each time.
func (processCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the log's counter. Any goroutine.
func (c processCollector) Collect(out chan<- prometheus.Metric) {
	m := metricWriter{out}
	m.counter("log_dropped_lines_total", "Log lines dropped because the reader was slower.", c.log.dropped.Load())
	m.counter("log_repeated_lines_total", "Warnings and errors that were not written because their cause had a line already.", c.log.limiter.shared.left.Load())
	info, _ := debug.ReadBuildInfo()
	b := readBuild(info)
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc("gatepass_build_info",
		"The version that runs, and the commit it was built from, as labels.", []string{"version", "commit", "modified"}, nil),
		prometheus.GaugeValue, 1, b.Version, b.Commit, strconv.FormatBool(b.Modified))
}
