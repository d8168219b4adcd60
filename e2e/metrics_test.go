package e2e

import (
	"net"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

// stages names a metric of each stage of a message's way (design, section 2),
// and of each part beside it. All have moved once a client has logged in.
var stages = []string{
	"gatepass_connections_accepted_total",  // 1 reactor
	"gatepass_reactor_read_bytes_total",    // 2 ring
	"gatepass_reactor_messages_total",      // 3 codec
	"gatepass_inbox_taken_total",           // 4 inbox
	"gatepass_logic_rounds_total",          // 5 logic
	"gatepass_logic_messages_total",        //
	"gatepass_logins_total",                //
	"gatepass_sender_rounds_total",         // 7 send queue, 8 sender
	"gatepass_reactor_batches_total",       //
	"gatepass_reactor_writes_total",        //
	"gatepass_reactor_written_bytes_total", //
	"gatepass_auth_done_total",             // beside: auth
	"gatepass_storage_reads_total",         // storage
	"gatepass_storage_writes_total",        //
	"gatepass_storage_syncs_total",         //
	"gatepass_build_info",                  // the program
	"gatepass_connections_max",             //
}

// TestMetrics: every stage is shown, under names that keep Prometheus' rules.
func TestMetrics(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	c := dial(t, g.grunt, wotlk)
	c.mustLogin(demo)
	c.worlds()
	for _, name := range stages {
		if g.metric(name) == 0 {
			t.Errorf("%s has not moved", name)
		}
	}
	for name, family := range g.metrics() {
		ours := strings.HasPrefix(name, "gatepass_")
		if !ours && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is not gatepass_…", name)
		}
		if counts := family.GetType() == dto.MetricType_COUNTER; ours && counts != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %v", name, family.GetType())
		}
		if family.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
	}
	problems, err := promlint.New(strings.NewReader(g.mustGet("/metrics"))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestMetrics_TellOutcomes: what happens to players can be told from the
// metrics.
func TestMetrics_TellOutcomes(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	c := dial(t, g.grunt, wotlk)
	x := c.mustLogin(demo)
	c = dial(t, g.grunt, wotlk)
	c.mustReconnect(demo.name, x.srp.SessionKey())
	c = dial(t, g.grunt, vanilla)
	c.mustFail(who{demo.name, "wrong"}, 4)
	c = dial(t, g.grunt, v2)
	c.send(c.hello(0x00, demo.name))
	c.expect([]byte{0, 0, 9})
	for _, want := range []struct {
		name, label, value string
		n                  float64
	}{
		{"gatepass_logins_total", "outcome", "logged-in", 1},
		{"gatepass_logins_total", "outcome", "reconnected", 1},
		{"gatepass_logins_total", "outcome", "proof-failed", 1},
		{"gatepass_logins_total", "outcome", "kicked", 1},
		{"gatepass_logins_total", "outcome", "refused", 2},
		{"gatepass_refusals_total", "result", "bad-credentials", 1},
		{"gatepass_refusals_total", "result", "version-invalid", 1},
		{"gatepass_filter_refusals_total", "filter", "version", 1},
		{"gatepass_session_keys", "", "", 1},
	} {
		labels := []string{want.label, want.value}
		if want.label == "" {
			labels = nil
		}
		eventually(t, want.name+" "+want.value, func() bool { return g.metric(want.name, labels...) == want.n })
	}
}

// TestAdmin: operators are served on loopback unless they say otherwise, and
// find the profiles there; nothing they read names a player.
func TestAdmin(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.account("s3cretpw\n", "add", "--password-stdin", "zaphod")
	c := dial(t, g.grunt, tbc)
	x := c.mustLogin(who{"ZAPHOD", "s3cretpw"})
	pages := []string{
		"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/goroutine?debug=2",
		"/debug/pprof/heap?debug=1", "/debug/pprof/mutex?debug=1", "/debug/pprof/block?debug=1",
	}
	for _, page := range pages {
		body := g.mustGet(page)
		if strings.Contains(strings.ToUpper(body), "ZAPHOD") {
			t.Errorf("%s names a player", page)
		}
		for what, secret := range secretsOf(x, "s3cretpw") {
			if strings.Contains(strings.ToLower(body), secret) {
				t.Errorf("%s holds the %s", page, what)
			}
		}
	}
	if status, _, _ := g.get("/"); status != 404 {
		t.Errorf("GET /: status %d", status)
	}
	if help, _ := command("dev", "--help").Output(); !strings.Contains(string(help), `"127.0.0.1:9724"`) {
		t.Errorf("the help does not name a loopback address for operators:\n%s", help)
	}
}

// TestAdmin_WarnsBeyondLoopback: who opens it to others is told what that means.
func TestAdmin_WarnsBeyondLoopback(t *testing.T) {
	t.Parallel()
	g := start(t, setup{args: []string{"--admin", "0.0.0.0:0"}})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(g.admin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	g.admin = "http://127.0.0.1:" + port
	eventually(t, "it warns", func() bool { return strings.Contains(grep(g.stderr.String(), "level=WARN"), "loopback") })
	g.healthy()
}
