package process

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

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/worlds/bus"
)

// Process is one gatepass process. Its parts start one after the other and stop in
// reverse order. They share one log and one admin listener.
type Process struct {
	// Config is the process's own: a role may change it while it starts.
	Config *config.Config
	Log    *Log
	admin  *adminListener
	out    io.Writer
	ErrOut io.Writer
	parts  []Part
	conns  []*bus.Conn
	// said is what the ready line says: names and values in turn.
	said []any
}

// Part is something that a process runs. All fields but name may be nil.
type Part struct {
	// Name is in errors of the part.
	Name string
	// Failed brings an error when the part cannot go on; the process ends then.
	Failed <-chan error
	// alive returns why the part is stuck, ready why it should get no traffic now,
	// degraded what it cannot do although it works. Any goroutine.
	Alive, Ready, Degraded func() error
	// Drain begins nothing new and returns when what is under way is done, or when ctx
	// ends.
	Drain func(ctx context.Context)
	// Close stops the part and returns when it has stopped.
	Close func() error
	// Metrics has the part's metrics. It is read from any goroutine.
	Metrics prometheus.Collector
}

// Options say what a process runs with.
type Options struct {
	Config *config.Config
	// out gets the lines for people and for those who start the process, ErrOut the log.
	Out, ErrOut io.Writer
}

// gcPercent is how much the heap may grow between two collections, in percent of the live
// heap. GOGC in the environment overrides it. Frequent collections are cheap, because
// most of the live heap is the store's cache, which has no pointers to follow. With Go's
// default, the garbage of many sign-ins at once would double the memory.
const gcPercent = 25

// Run runs a process from its start to its end: it calls build, which adds the
// parts, prints the ready line, waits until ctx ends or a part fails, drains and closes.
// The error is an exit.LoggedError where the log is JSON.
func Run(ctx context.Context, o Options, build func(ctx context.Context, p *Process) error) (err error) {
	c := o.Config
	defer func() { err = c.Log.Ending(err) }()
	if asJSON, ok := ctx.Value(jsonKey{}).(*atomic.Bool); ok {
		asJSON.Store(c.Log.Format == config.FormatJSON)
	}
	log, err := newLog(c, o.ErrOut)
	if err != nil {
		return err
	}
	defer log.close()
	runtime.GOMAXPROCS(c.Procs)
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(gcPercent)
	}
	signal.Ignore(syscall.SIGPIPE) // the reader of our output has gone, which is no reason to end
	p := &Process{Config: c, Log: log, out: o.Out, ErrOut: o.ErrOut}
	if p.admin, err = newAdmin(c.Admin, log.Logger); err != nil {
		return err
	}
	p.Add(Part{Name: "admin", Close: func() error { p.admin.close(); return nil }})
	p.Add(Part{Name: "process", Metrics: processCollector{log}})
	if err := build(ctx, p); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			err = nil // a signal came during the start
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
	p.Say("admin", fmt.Sprintf("http://%s", p.admin.addr()), "procs", c.Procs)
	p.print("ready", p.said...)
	failure := p.wait(ctx)
	if failure == nil {
		p.print("draining")
		p.drain()
	}
	return errors.Join(failure, p.close())
}

// Add adds a part. Only build calls it.
func (p *Process) Add(q Part) { p.parts = append(p.parts, q) }

// busTraffic returns how many messages the process has sent and received on the bus. Any
// goroutine, once the parts have started.
func (p *Process) busTraffic() (n uint64) {
	for _, conn := range p.conns {
		st := conn.Stats()
		n += st.Received + st.Sent
	}
	return n
}

// Say adds names and values, in turn, to the ready line.
func (p *Process) Say(named ...any) { p.said = append(p.said, named...) }

// print writes a line to the standard output: the message, then name=value for each pair
// in named. Where the log is JSON, it writes an object as the log does, so that both can
// be read as one stream.
func (p *Process) print(message string, named ...any) {
	if p.Config.Log.Format == config.FormatJSON {
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

// PrintText writes text, a sentence to people, where the log is text. Where the log is
// JSON it is print.
func (p *Process) PrintText(text, message string, named ...any) {
	if p.Config.Log.Format == config.FormatJSON {
		p.print(message, named...)
		return
	}
	fmt.Fprintln(p.out, text)
}

// wait returns when ctx ends (nil) or when a part has failed.
func (p *Process) wait(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failures := make(chan error, len(p.parts))
	for _, q := range p.parts {
		if q.Failed == nil {
			continue
		}
		go func() {
			select {
			case err := <-q.Failed:
				failures <- fmt.Errorf("%s: %w", q.Name, err)
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

// drain drains the parts in reverse order, so that those which serve clients are first.
func (p *Process) drain() {
	p.admin.ready.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), p.Config.DrainLimit)
	defer cancel()
	for i := range p.parts {
		if drain := p.parts[len(p.parts)-1-i].Drain; drain != nil {
			drain(ctx)
		}
	}
}

// CloseLimit is how long close waits for the parts. They end within a second unless one
// of them hangs. Then the process ends without it.
const CloseLimit = 30 * time.Second

// close stops the parts in reverse order.
func (p *Process) close() error {
	ended := make(chan error, 1)
	go func() {
		var faults []error
		for i := range p.parts {
			if stop := p.parts[len(p.parts)-1-i].Close; stop != nil {
				faults = append(faults, stop())
			}
		}
		ended <- errors.Join(faults...)
	}()
	select {
	case err := <-ended:
		return err
	case <-time.After(CloseLimit):
		return fmt.Errorf("a part did not end within %v", CloseLimit)
	}
}

// alive returns why the process is not healthy.
func (p *Process) alive() error { return p.first(func(q *Part) func() error { return q.Alive }) }

// able returns why a process that has started should get no traffic now.
func (p *Process) able() error { return p.first(func(q *Part) func() error { return q.Ready }) }

// degraded returns what the process cannot do although it works.
func (p *Process) degraded() error {
	return p.first(func(q *Part) func() error { return q.Degraded })
}

// first returns the first fault of a part, with the part's name.
func (p *Process) first(question func(*Part) func() error) error {
	for i := range p.parts {
		if ask := question(&p.parts[i]); ask != nil {
			if err := ask(); err != nil {
				return fmt.Errorf("%s: %w", p.parts[i].Name, err)
			}
		}
	}
	return nil
}

// Describe sends nothing: Collect makes the metrics anew each time.
func (*Process) Describe(chan<- *prometheus.Desc) {}

// Collect reads all parts. Any goroutine.
func (p *Process) Collect(out chan<- prometheus.Metric) {
	for _, q := range p.parts {
		if q.Metrics != nil {
			q.Metrics.Collect(out)
		}
	}
}

// processCollector has the metrics of every process.
type processCollector struct{ log *Log }

// Describe sends nothing: Collect makes the metrics anew each time.
func (processCollector) Describe(chan<- *prometheus.Desc) {}

// Collect reads the log's counter. Any goroutine.
func (c processCollector) Collect(out chan<- prometheus.Metric) {
	m := NewMetrics(out)
	m.Counter("log_dropped_lines_total", "Log lines dropped because the reader was slower.", c.log.dropped.Load())
	m.Counter("log_repeated_lines_total", "Warnings and errors that were not written because their cause had a line already.", c.log.limiter.shared.left.Load())
	info, _ := debug.ReadBuildInfo()
	b := ReadBuild(info)
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc("gatepass_build_info",
		"The version that runs, and the commit it was built from, as labels.", []string{"version", "commit", "modified"}, nil),
		prometheus.GaugeValue, 1, b.Version, b.Commit, strconv.FormatBool(b.Modified))
}
