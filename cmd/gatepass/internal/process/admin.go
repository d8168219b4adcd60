package process

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

// adminListener is the HTTP listener for operators: health, readiness, metrics, profiles.
type adminListener struct {
	http   http.Server
	listen net.Listener
	seats  *adminSeats
	done   chan struct{}
	// ready says whether the process has started and does not drain. able returns why it
	// should get no traffic although ready is set, alive why it is stuck, degraded what it
	// cannot do although it works.
	ready                 atomic.Bool
	able, alive, degraded func() error
}

// newAdmin listens at once, so that a port in use is found before anything else starts.
// serve answers later.
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

// serve answers requests in a goroutine of its own until close. c has the metrics.
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

// handler returns the handler of all paths.
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

// addr returns the address on which it listens.
func (a *adminListener) addr() net.Addr { return a.listen.Addr() }

func noFault() error { return nil }

// healthz answers whether the process works. A degraded process answers 200 as well,
// because to restart it would only make things worse.
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

// readyz answers whether the process should get traffic. It should not once a drain has
// begun.
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

// close ends the listener. A request under way has a second to finish.
func (a *adminListener) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if a.http.Handler == nil {
		_ = a.listen.Close() // never served
		return
	}
	if a.http.Shutdown(ctx) != nil {
		_ = a.http.Close() // a request takes longer, such as a profile
	}
	<-a.done
}
