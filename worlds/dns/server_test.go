package dns

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// mustStart serves the test's zone with the real clock; the test closes it.
func mustStart(t testing.TB, change func(*Options)) *Server {
	t.Helper()
	o := testOptions()
	o.Clock = nil
	o.RateLimit = -1
	o.ForgetAfter = time.Hour
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if st := s.Stats(); st.Panics != 0 || st.Conns != 0 {
			t.Errorf("after Close: %+v", st)
		}
	})
	return s
}

// mustAsk asks over "udp" or "tcp".
func mustAsk(t testing.TB, s *Server, network string, q *dns.Msg) *dns.Msg {
	t.Helper()
	c := &dns.Client{Net: network, Timeout: 5 * time.Second}
	m, _, err := c.Exchange(q, s.Addr().String())
	if err != nil {
		t.Fatalf("%s: %v", network, err)
	}
	return m
}

func TestServer_AnswersOverBoth(t *testing.T) {
	s := mustStart(t, nil)
	for i, b := range fleet(3) {
		s.Beat(b)
		for _, network := range []string{"udp", "tcp"} {
			m := mustAsk(t, s, network, query("login.example.org.", dns.TypeA))
			if len(m.Answer) != i+1 || !m.Authoritative || m.RecursionAvailable {
				t.Errorf("%s: %v", network, m)
			}
		}
	}
	if st := s.Stats(); st.UDP != 3 || st.TCP != 3 || st.Outcomes[OutcomeAnswer] != 6 || st.Beats != 3 || st.Healthy != 3 {
		t.Errorf("%+v", st)
	}
}

func TestServer_DrainingLeavesAtOnce(t *testing.T) {
	s := mustStart(t, nil)
	for range 20 {
		s.Beat(beat("a", "192.0.2.1:1", 5))
		if m := mustAsk(t, s, "udp", query("login.example.org.", dns.TypeA)); len(m.Answer) != 1 {
			t.Fatal(m)
		}
		s.Beat(draining(beat("a", "192.0.2.1:1", 5)))
		if m := mustAsk(t, s, "udp", query("login.example.org.", dns.TypeA)); len(m.Answer) != 0 || m.Rcode != dns.RcodeSuccess {
			t.Fatal(m)
		}
	}
}

func TestServer_SilentOnesLeave(t *testing.T) {
	now, mu := time.Duration(testNow), sync.Mutex{}
	s := mustStart(t, func(o *Options) {
		o.ForgetAfter = 3 * time.Second
		o.Clock = func() time.Duration { mu.Lock(); defer mu.Unlock(); return now }
	})
	s.Beat(beat("a", "192.0.2.1:1", 5))
	for after, want := range []int{1, 1, 1, 1, 0} { // seconds
		mu.Lock()
		now = testNow + time.Duration(after)*time.Second
		mu.Unlock()
		if m := mustAsk(t, s, "udp", query("login.example.org.", dns.TypeA)); len(m.Answer) != want {
			t.Errorf("after %d s: %v", after, m)
		}
	}
}

// On a socket for all addresses a reply is sent from the address that the question was sent
// to: the client's socket is connected and accepts no other.
func TestServer_RepliesFromTheAddressAsked(t *testing.T) {
	for listen, asked := range map[string][]string{
		"0.0.0.0:0": {"127.0.0.1", "127.0.0.2", "127.9.9.9"},
		"[::]:0":    {"127.0.0.2", "::1"},
		":0":        {"127.0.0.3", "::1"},
	} {
		if listen[0] != '0' && !hasIPv6() {
			continue
		}
		s := mustStart(t, func(o *Options) { o.Listen = listen })
		s.Beat(beat("a", "192.0.2.1:1", 5))
		for _, address := range asked {
			to := netip.AddrPortFrom(netip.MustParseAddr(address), s.Addr().Port()).String()
			for _, network := range []string{"udp", "tcp"} {
				c := &dns.Client{Net: network, Timeout: 5 * time.Second}
				if m, _, err := c.Exchange(query("login.example.org.", dns.TypeA), to); err != nil || len(m.Answer) != 1 {
					t.Errorf("%s, asked at %s over %s: %v, %v", listen, to, network, err, m)
				}
			}
		}
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

func mustDial(t testing.TB, s *Server) *dns.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &dns.Conn{Conn: c}
}

// mustEnd waits for the server to close a connection.
func mustEnd(t testing.TB, c *dns.Conn) {
	t.Helper()
	b := make([]byte, 1)
	if n, err := c.Conn.Read(b); n != 0 || errors.Is(err, net.ErrClosed) || errorIsTimeout(err) {
		t.Errorf("still open: %d, %v", n, err)
	}
}

func errorIsTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// Questions sent at once are answered in order, however they are split into packets.
func TestServer_TCP_Pipelining(t *testing.T) {
	s := mustStart(t, nil)
	s.Beat(beat("a", "192.0.2.1:1", 5))
	c := mustDial(t, s)
	var stream []byte
	const n = 50
	for i := range n {
		q := query("login.example.org.", dns.TypeA)
		q.Id = uint16(i)
		b := mustPack(t, q)
		stream = append(append(stream, byte(len(b)>>8), byte(len(b))), b...)
	}
	for _, piece := range [][]byte{stream[:1], stream[1:30], stream[30:33], stream[33:]} {
		if _, err := c.Conn.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if m, err := c.ReadMsg(); err != nil || int(m.Id) != i || len(m.Answer) != 1 {
			t.Fatal(i, err, m)
		}
	}
}

func TestServer_TCP_ClosesOnNonsense(t *testing.T) {
	s := mustStart(t, nil)
	for name, bytes := range map[string]string{
		"too long":   "ffff",
		"too short":  "0003616263",
		"a reply":    "000c" + "123481000000000000000000",
		"no content": "0000",
	} {
		c := mustDial(t, s)
		if _, err := c.Conn.Write(raw(t, bytes)); err != nil {
			t.Fatal(name, err)
		}
		mustEnd(t, c)
	}
	c := mustDial(t, s) // malformed, but a question: an answer, and the connection stays
	for range 2 {
		if _, err := c.Conn.Write(raw(t, "000c"+"123401000000000000000000")); err != nil {
			t.Fatal(err)
		}
		if m, err := c.ReadMsg(); err != nil || m.Rcode != dns.RcodeFormatError {
			t.Fatal(err, m)
		}
	}
}

// The time limit is for the whole question, not for its next byte.
func TestServer_TCP_IdleTimeout(t *testing.T) {
	s := mustStart(t, func(o *Options) { o.IdleTimeout = 50 * time.Millisecond })
	mustEnd(t, mustDial(t, s))
	slow := mustDial(t, s)
	one := []byte{0x0f} // says that 3,855 bytes follow
	for range 2000 {
		if _, err := slow.Conn.Write(one); err != nil {
			return
		}
		_ = slow.SetReadDeadline(time.Now().Add(5 * time.Millisecond)) // sets the pace
		if _, err := slow.Conn.Read(make([]byte, 1)); !errorIsTimeout(err) {
			return
		}
	}
	t.Error("never cut off")
}

func TestServer_TCP_Bounded(t *testing.T) {
	s := mustStart(t, func(o *Options) { o.MaxConns = 16 }) // 2 for one network
	s.Beat(beat("a", "192.0.2.1:1", 5))
	ask := func(c *dns.Conn) {
		t.Helper()
		if err := c.WriteMsg(query("login.example.org.", dns.TypeA)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.ReadMsg(); err != nil {
			t.Fatal(err)
		}
	}
	first, second := mustDial(t, s), mustDial(t, s)
	ask(first)
	ask(second)
	mustEnd(t, mustDial(t, s))
	if st := s.Stats(); st.Conns != 2 || st.ConnsRefused != 1 {
		t.Errorf("%+v", st)
	}
	_ = first.Close()
	waitFor(t, func() bool { return s.Stats().Conns == 1 })
	ask(mustDial(t, s))
}

func TestConnSet_AllNetworksTogether(t *testing.T) {
	cs := newConnSet(4)
	if cs.maxNetwork != 1 {
		t.Fatal(cs.maxNetwork)
	}
	cs.max = 0
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if cs.add(c.(*net.TCPConn)) {
		t.Error("taken beyond the limit")
	}
	cs.max = 4
	if !cs.add(c.(*net.TCPConn)) || cs.count() != 1 {
		t.Error("refused within it")
	}
	cs.remove(c.(*net.TCPConn))
	if cs.stop(); cs.add(c.(*net.TCPConn)) || len(cs.networks) != 0 {
		t.Error("taken after stop")
	}
}

func waitFor(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal("waited too long")
		}
		time.Sleep(time.Millisecond)
	}
}

// Over UDP a flood is answered up to the limit. Beyond it every second reply makes the client
// use TCP, where it gets an answer.
func TestServer_RateLimit(t *testing.T) {
	s := mustStart(t, func(o *Options) {
		o.RateLimit, o.RateBurst = 1, 10
		o.Clock = func() time.Duration { return testNow }
	})
	s.Beat(beat("a", "192.0.2.1:1", 5))
	c, err := net.Dial("udp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const asked = 30
	for range asked {
		if _, err := c.Write(mustPack(t, query("login.example.org.", dns.TypeA))); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() bool { return uint64(s.Stats().UDP) == asked })
	whole, cut, conn := 0, 0, &dns.Conn{Conn: c}
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	for range 20 {
		m, err := conn.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		if m.Truncated && len(m.Answer) == 0 {
			cut++
		} else if len(m.Answer) == 1 {
			whole++
		}
	}
	if st := s.Stats(); whole != 10 || cut != 10 || st.LimitedDropped != 10 || st.LimitedSlipped != 10 {
		t.Errorf("%d whole, %d truncated, %+v", whole, cut, st)
	}
	if m := mustAsk(t, s, "tcp", query("login.example.org.", dns.TypeA)); len(m.Answer) != 1 {
		t.Error(m)
	}
}

func TestServer_Lifecycle(t *testing.T) {
	o := testOptions()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if s.Addr().IsValid() {
		t.Error("an address before Start")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != ErrStarted {
		t.Error(err)
	}
	taken := o
	taken.Listen = s.Addr().String()
	other, err := New(taken)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err == nil {
		t.Error("two servers at one address")
	}
	open := mustDial(t, s) // must not hold up Close
	if err := open.WriteMsg(query("login.example.org.", dns.TypeA)); err != nil {
		t.Fatal(err)
	}
	if _, err := open.ReadMsg(); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	mustEnd(t, open)
	if err := s.Start(); err != ErrClosed {
		t.Error(err)
	}
	s.Beat(beat("late", "192.0.2.1:1", 1))
	unstarted, _ := New(o)
	if err := errors.Join(unstarted.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	if err := unstarted.Start(); err != ErrClosed {
		t.Error(err)
	}
}

// A panic in the server loses only one reply.
func TestServer_SurvivesItsOwnFaults(t *testing.T) {
	o := testOptions()
	o.Random = func() uint64 { return 1 }
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Beat(beat("a", "192.0.2.1:1", 1))
	src := s.source()
	src.random = nil
	packet := mustPack(t, query("login.example.org.", dns.TypeA))
	if r := s.respond(packet, carrier{udp: true}, &src, nil); r.bytes != nil {
		t.Errorf("%x", r.bytes)
	}
	src = s.source()
	if r := s.respond(packet, carrier{udp: true}, &src, nil); r.outcome != OutcomeAnswer {
		t.Errorf("%v", r.outcome)
	}
	if st := s.Stats(); st.Panics != 1 || st.Outcomes[OutcomeSilence] != 1 || st.Outcomes[OutcomeAnswer] != 1 {
		t.Errorf("%+v", st)
	}
}
