package lead

import (
	"context"
	"testing"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
)

// testManager is a manager that runs.
type testManager struct {
	conn    *bus.Conn
	monitor Monitor
	stop    context.CancelFunc
	done    chan struct{}
}

const testLease = 500 * time.Millisecond

// manage runs a manager.
func manage(s *bustest.Stage, node worlds.Node, o ManagerOptions) *testManager {
	s.TB.Helper()
	return manageOn(s, s.Connect(node), o)
}

// manageOn runs a manager on a connection.
func manageOn(s *bustest.Stage, conn *bus.Conn, o ManagerOptions) *testManager {
	s.TB.Helper()
	m := &testManager{conn: conn, done: make(chan struct{})}
	o.Monitor = &m.monitor
	if o.Lease == 0 {
		o.Lease = testLease
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 100 * time.Millisecond
	}
	var ctx context.Context
	ctx, m.stop = context.WithCancel(context.Background())
	go func() {
		defer close(m.done)
		if err := RunManager(ctx, m.conn, o); err != nil {
			s.TB.Error(err)
		}
	}()
	s.TB.Cleanup(m.end)
	return m
}

func (m *testManager) leads() bool { return m.monitor.Stats().Leads }

// mustLead waits until the manager leads.
func (m *testManager) mustLead(t *testing.T) *testManager {
	t.Helper()
	bustest.Eventually(t, "it leads", m.leads)
	return m
}

// entries is how many keys its directory knows.
func (m *testManager) entries() int { return m.monitor.Stats().Directory.Entries }

func (m *testManager) end() {
	m.stop()
	<-m.done
}

// request asks the leading manager.
func request(c *bus.Conn, subject string, payload []byte) ([]byte, error) {
	m, err := c.Client().Request(subject, payload, bus.RequestTimeout)
	if err != nil {
		return nil, err
	}
	return m.Data, nil
}
