package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// patience is how long a test waits for what must come. It is only ever used up
// when something is broken.
const patience = 20 * time.Second

// startPatience is how long a program may take to be ready: each makes its store and its
// bus, and several do so at once.
const startPatience = 60 * time.Second

// setup says how to start a server; the zero value is what `gatepass dev` does.
type setup struct {
	data string // data folder; a new one if empty
	// role is the whole command line of another role than dev, data and args are
	// then not looked at.
	role  []string
	args  []string // further arguments
	env   []string // further environment, KEY=value
	stdin io.Reader
	// program is the gatepass to be run, if it is not the one under test.
	program string
	// files is the server's limit of open files, 0 for that of the tests.
	files int
	// stderr replaces the buffer in which what the server logs is kept.
	stderr *os.File
}

// gatepass is a running server. Its methods may be called from any goroutine,
// those that take no testing.TB fail the test they were started in.
type gatepass struct {
	t     testing.TB
	data  string
	grunt string // host:port for clients
	admin string // http://host:port for operators
	// said is what else stands on the ready line, by name.
	said map[string]string

	cmd    *exec.Cmd
	exited chan struct{} // closed once the process is gone
	stdout *lockedBuffer
	stderr *lockedBuffer
	// reaped tells that the test has looked at how the process ended.
	reaped bool
}

// start runs gatepass and returns once it says it is ready. At the end of
// the test it is asked to stop, and must do so well.
func start(t testing.TB, s setup) *gatepass {
	t.Helper()
	g, ready := launch(t, s)
	select {
	case line := <-ready:
		g.mustParseReady(line)
	case <-g.exited:
		t.Fatalf("gatepass ended before it was ready: %v\n%s", g.cmd.ProcessState, g.stderr)
	case <-time.After(startPatience):
		t.Fatalf("gatepass is not ready\n%s", g.stderr)
	}
	return g
}

// launch starts the process; its ready line will come over the channel.
func launch(t testing.TB, s setup) (*gatepass, <-chan string) {
	t.Helper()
	if s.data == "" && s.role == nil {
		s.data = filepath.Join(t.TempDir(), "data")
	}
	args := s.role
	if args == nil {
		args = append(devArgs(t, s.data), s.args...)
	}
	g := &gatepass{t: t, data: s.data, exited: make(chan struct{}), stdout: new(lockedBuffer), stderr: new(lockedBuffer)}
	g.cmd = command(args...)
	if s.program != "" {
		g.cmd.Path, g.cmd.Args[0] = s.program, s.program
	}
	if s.files != 0 {
		limited := exec.Command("/bin/sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d; exec "$0" "$@"`, s.files)}, g.cmd.Args...)...)
		limited.Env, g.cmd = g.cmd.Env, limited
	}
	// It does not outlive the tests, however they end.
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	g.cmd.Env = append(g.cmd.Env, s.env...)
	g.cmd.Stdin = s.stdin
	g.cmd.Stderr = g.stderr
	if s.stderr != nil {
		g.cmd.Stderr = s.stderr
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go g.read(out, ready)
	t.Cleanup(func() {
		if !g.reaped {
			g.stop()
		}
	})
	return g, ready
}

// devArgs start `gatepass dev` on the folder with ports nobody else has, and with
// two worlds that are in the configuration only: nearly no test walks into one.
// What comes later in a command line wins.
func devArgs(t testing.TB, data string) []string {
	t.Helper()
	return []string{
		"dev", "--data", data, "--config", writeFile(t, "worlds.toml", listedWorlds), "--demo-worlds", "0",
		"--grunt", "127.0.0.1:0", "--native", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--bus.listen", "127.0.0.1:0",
	}
}

// listedWorlds are the worlds of demoList.
const listedWorlds = `
[[worlds]]
id = 1
name = "Demo One"
address = "127.0.0.1:8085"
kind = "normal"
category = 1
population = 0.5
[[worlds]]
id = 2
name = "Demo Two"
address = "127.0.0.1:8086"
kind = "pvp"
category = 1
population = 1.5
`

// read takes in what the process prints, until its end.
func (g *gatepass) read(out io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Fprintln(g.stdout, lines.Text())
		if strings.HasPrefix(lines.Text(), "ready ") || strings.Contains(lines.Text(), `"msg":"ready"`) {
			ready <- lines.Text()
		}
	}
	_ = g.cmd.Wait() // its outcome is in ProcessState
	close(g.exited)
}

func (g *gatepass) mustParseReady(line string) {
	g.t.Helper()
	g.said = make(map[string]string)
	named := make(map[string]any)
	if json.Unmarshal([]byte(line), &named) != nil { // text, not --log.format json
		for _, word := range strings.Fields(line) {
			if name, value, ok := strings.Cut(word, "="); ok {
				named[name] = value
			}
		}
	}
	for name, value := range named {
		g.said[name] = fmt.Sprint(value)
	}
	g.grunt, g.admin = g.said["grunt"], g.said["admin"]
	if !strings.HasPrefix(g.admin, "http://") {
		g.t.Fatalf("no addresses in %q", line)
	}
}

func (g *gatepass) signal(s syscall.Signal) {
	g.t.Helper()
	if err := g.cmd.Process.Signal(s); err != nil {
		g.t.Errorf("signal %v: %v", s, err)
	}
}

// wait returns the exit code once the process has ended; -1 means by a signal.
func (g *gatepass) wait() int {
	g.t.Helper()
	g.reaped = true
	select {
	case <-g.exited:
	case <-time.After(patience):
		_ = g.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines, for whoever reads the failure
		<-g.exited
		g.t.Fatalf("gatepass does not end\n%s", g.stderr)
	}
	for _, bad := range []string{"DATA RACE", "panic", "fatal error"} {
		if strings.Contains(g.stderr.String(), bad) {
			g.t.Errorf("%s in what gatepass printed:\n%s", bad, g.stderr)
		}
	}
	return g.cmd.ProcessState.ExitCode()
}

// stop asks the server to end, which must go well.
func (g *gatepass) stop() {
	g.t.Helper()
	g.signal(syscall.SIGTERM)
	if code := g.wait(); code != 0 {
		g.t.Errorf("exit code %d after SIGTERM\n%s", code, g.stderr)
	}
}

// kill ends the server as a power cut would.
func (g *gatepass) kill() {
	g.t.Helper()
	g.signal(syscall.SIGKILL)
	g.wait()
}

// get asks the admin listener.
func (g *gatepass) get(path string) (status int, body string, err error) {
	c := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := c.Get(g.admin + path)
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return r.StatusCode, string(b), err
}

func (g *gatepass) mustGet(path string) string {
	g.t.Helper()
	status, body, err := g.get(path)
	if err != nil || status != http.StatusOK {
		g.t.Fatalf("GET %s: status %d, %v: %s", path, status, err, body)
	}
	return body
}

// metrics are all metrics, by name.
func (g *gatepass) metrics() map[string]*dto.MetricFamily {
	g.t.Helper()
	p := expfmt.NewTextParser(model.LegacyValidation)
	families, err := p.TextToMetricFamilies(strings.NewReader(g.mustGet("/metrics")))
	if err != nil {
		g.t.Fatalf("/metrics: %v", err)
	}
	return families
}

// metric is the sum of a metric over those of its labels that match; labels are
// given as name, value, name, value.
func (g *gatepass) metric(name string, labels ...string) float64 {
	g.t.Helper()
	family := g.metrics()[name]
	if family == nil {
		g.t.Fatalf("no metric %s", name)
	}
	sum := 0.0
	for _, m := range family.Metric {
		if hasLabels(m, labels) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}

func hasLabels(m *dto.Metric, want []string) bool {
	have := make(map[string]string)
	for _, l := range m.Label {
		have[l.GetName()] = l.GetValue()
	}
	for i := 0; i < len(want); i += 2 {
		if have[want[i]] != want[i+1] {
			return false
		}
	}
	return true
}

// healthy fails the test unless the server serves as if nothing had happened.
func (g *gatepass) healthy() {
	g.t.Helper()
	g.mustGet("/healthz")
	// On a busy machine its manager may have lost the lease for a moment.
	eventually(g.t, "it is ready", func() bool { return ready(g) })
	for _, name := range []string{"gatepass_reactor_panics_total", "gatepass_logic_panics_total", "gatepass_auth_panics_total", "gatepass_reactor_encode_errors_total"} {
		if n := g.metric(name); n != 0 {
			g.t.Errorf("%s is %v", name, n)
		}
	}
	c := dial(g.t, g.grunt, vanilla)
	c.mustLogin(demo)
	c.close()
}

// account runs `gatepass account` on the server's folder and must succeed.
func (g *gatepass) account(stdin string, args ...string) string {
	g.t.Helper()
	out, err := account(g.data, stdin, args...)
	if err != nil {
		g.t.Fatalf("account %v: %v\n%s", args, err, out)
	}
	return out
}

// account runs `gatepass account` and returns what it printed.
func account(data, stdin string, args ...string) (string, error) {
	cmd := command(append([]string{"account", "--data", data}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// command is the program with those arguments and an environment without any
// settings of whoever runs the tests.
func command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GATEPASS_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	// The race detector sleeps for a second at the end of a process otherwise.
	cmd.Env = append(cmd.Env, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// runs starts the program, waits for its end and returns its exit code and what
// it printed.
func runs(t testing.TB, args ...string) (code int, out string) {
	t.Helper()
	cmd := command(args...)
	var b lockedBuffer
	cmd.Stdout, cmd.Stderr = &b, &b
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait() // its outcome is in ProcessState
	return cmd.ProcessState.ExitCode(), b.String()
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	eventuallyWithin(t, patience, what, holds)
}

// eventuallyWithin waits for something that takes longer than others.
func eventuallyWithin(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// lockedBuffer can be read while a process writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
