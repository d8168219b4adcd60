package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// adminListener is the operator's listener: health, readiness, metrics, profiles.
type adminListener struct {
	http   http.Server
	listen net.Listener
	seats  *adminSeats
	done   chan struct{}
	// ready says whether traffic should come, able why it should not though ready
	// is set; alive whether the process does what it is for, degraded what of it it
	// cannot do just now.
	ready                 atomic.Bool
	able, alive, degraded func() error
}

// newAdmin listens at once, so that a port in use is found before anything else
// has started.
func newAdmin(addr string, logger *slog.Logger) (*adminListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("admin: listen on %s: %w", addr, err)
	}
	a := &adminListener{listen: newSpareListener(l), seats: newAdminSeats(adminConns), done: make(chan struct{}), able: noFault, alive: noFault, degraded: noFault}
	if tcp, ok := l.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		logger.Warn("the admin listener has no login of its own and is not on loopback: keep strangers away", "admin", l.Addr())
	}
	return a, nil
}

// serve answers until close. Metrics come from the given collector.
func (a *adminListener) serve(c prometheus.Collector, logger *slog.Logger) error {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		c, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("admin: %w", err)
		}
	}
	a.http = http.Server{
		Handler:           a.handler(registry),
		ReadHeaderTimeout: adminReadLimit,
		ReadTimeout:       adminReadLimit,
		WriteTimeout:      adminWriteLimit,
		IdleTimeout:       adminIdleLimit,
		MaxHeaderBytes:    16 << 10,
		ConnState:         a.seats.note,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	go func() {
		defer close(a.done)
		if err := a.http.Serve(a.listen); err != http.ErrServerClosed {
			logger.Error("admin listener ended", "error", err)
		}
	}()
	return nil
}

// handler is what is served.
func (a *adminListener) handler(metrics *prometheus.Registry) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{MaxRequestsInFlight: adminScrapes}))
	for path, serve := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		mux.HandleFunc("/debug/pprof/"+path, boundedProfile(serve))
	}
	return mux
}

// boundedProfile refuses profiles that would take longer than profileLimit.
func boundedProfile(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
		if err == nil && !(seconds <= profileLimit.Seconds()) {
			http.Error(w, fmt.Sprintf("seconds: a profile takes %v at most", profileLimit), http.StatusBadRequest)
			return
		}
		serve(w, r)
	}
}

func (a *adminListener) addr() net.Addr { return a.listen.Addr() }

func noFault() error { return nil }

// healthz: the process is alive and its logic moves. One that is degraded answers 200
// too: whoever restarts what is not healthy would only make it worse.
func (a *adminListener) healthz(w http.ResponseWriter, _ *http.Request) {
	if err := a.alive(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if err := a.degraded(); err != nil {
		fmt.Fprintf(w, "degraded: %v\n", err)
		return
	}
	fmt.Fprintln(w, "ok")
}

// readyz: traffic should come. It turns off before a drain begins.
func (a *adminListener) readyz(w http.ResponseWriter, _ *http.Request) {
	if !a.ready.Load() {
		http.Error(w, "not ready: starting or draining", http.StatusServiceUnavailable)
		return
	}
	if err := a.able(); err != nil {
		http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

// close ends the listener; a scrape under way may finish.
func (a *adminListener) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if a.http.Handler == nil {
		_ = a.listen.Close() // never served
		return
	}
	if a.http.Shutdown(ctx) != nil {
		_ = a.http.Close() // a client that does not go: a profile, say
	}
	<-a.done
}
