package bus

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// subjectRow is one subject of the table in docs/bus-credentials.md, and what each kind
// of credentials may do there.
type subjectRow struct {
	subject string
	cells   map[string][]string
}

// documentedSubjects reads the table.
func documentedSubjects(t *testing.T) (rows []subjectRow) {
	t.Helper()
	page, err := os.ReadFile("../../docs/bus-credentials.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "### Every subject")
	table, _, _ = strings.Cut(table, "###")
	var kinds []string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) < 2 || strings.HasPrefix(cells[0], "-"):
		case cells[0] == "subject":
			kinds = cells[1:]
		default:
			row := subjectRow{strings.Trim(cells[0], "`"), make(map[string][]string)}
			for i, kind := range kinds {
				if cells[i+1] != "" {
					row.cells[kind] = strings.Split(cells[i+1], ", ")
				}
			}
			rows = append(rows, row)
		}
	}
	if len(rows) < 40 || len(kinds) != 6 {
		t.Fatalf("the table has %d subjects for %v", len(rows), kinds)
	}
	return rows
}

// placeholders are the letters of the table, and what they are tried with. The first is
// of the node that tries.
func placeholders(subject string) map[string][]string {
	logins, ids, names := []string{"eu1", "eu2"}, []string{"7", "8"}, []string{"a", "b"}
	all := map[string][]string{"N": ids, "L": logins, "M": ids, "A": names}
	if strings.Contains(subject, "login.M") {
		all["M"] = logins
	}
	return all
}

// instances are a subject with each of its letters standing for each of their values.
func instances(subject string) (all []map[string]string) {
	all = []map[string]string{{}}
	for _, token := range strings.Split(subject, ".") {
		values, ok := placeholders(subject)[token]
		if !ok {
			continue
		}
		var more []map[string]string
		for _, one := range all {
			for _, v := range values {
				with := map[string]string{token: v}
				for k, v := range one {
					with[k] = v
				}
				more = append(more, with)
			}
		}
		all = more
	}
	return all
}

// fillIn puts values in place of a subject's letters.
func fillIn(subject string, values map[string]string) string {
	tokens := strings.Split(subject, ".")
	for i, token := range tokens {
		if v, ok := values[token]; ok {
			tokens[i] = v
		}
	}
	return strings.Join(tokens, ".")
}

// allows tells whether a cell says what a node may do where the letters stand for that.
func (r *subjectRow) allows(kind, verb string, values map[string]string) bool {
	return slices.ContainsFunc(r.cells[kind], func(cell string) bool {
		said, own, limited := strings.Cut(cell, " ")
		return said == verb && (!limited || values[own] == placeholders(r.subject)[own][0])
	})
}

// The table of docs/bus-credentials.md is true: every subject is tried with a client
// that knows nothing of gatepass and the credentials of every kind.
func TestCredentials_EverySubjectIsAsDocumented(t *testing.T) {
	t.Parallel()
	a := mustAuthority(t)
	s := mustServer(t, ServerOptions{Dir: a.Dir()})
	rows := documentedSubjects(t)
	setup, err := nats.Connect("", nats.InProcessServer(s), nats.UserCredentials(a.path(fileSetup)), setupInbox(),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer setup.Close()
	clients := map[string]*nats.Conn{"setup": setup}
	for kind, node := range map[string]worlds.Node{"world": "world.7", "login": "login.eu1", "manager": "manager.a", "dns": "dns.a", "admin": "admin.a"} {
		clients[kind] = mustJoin(t, s, mustCreds(t, a, node))
	}
	for kind, c := range clients {
		t.Run(kind, func(t *testing.T) {
			for _, row := range rows {
				for _, values := range instances(row.subject) {
					subject := fillIn(row.subject, values)
					if got, want := mayPublish(t, c, subject), row.allows(kind, "says", values); got != want {
						t.Errorf("may say %s: %v, the table says %v", subject, got, want)
					}
					if got, want := maySubscribe(t, c, subject), row.allows(kind, "hears", values); got != want {
						t.Errorf("may hear %s: %v, the table says %v", subject, got, want)
					}
				}
			}
		})
	}
}

// Every subject that the code allows is in the table.
func TestCredentials_TheTableIsWhole(t *testing.T) {
	t.Parallel()
	var documented []string
	for _, row := range documentedSubjects(t) {
		for _, values := range instances(row.subject) {
			documented = append(documented, fillIn(row.subject, values))
		}
	}
	for _, node := range []worlds.Node{"world.7", "login.eu1", "manager.a", "dns.a", "admin.a"} {
		p := permissionsFor(node)
		for _, allowed := range append(p.Pub.Allow, p.Sub.Allow...) {
			if strings.HasPrefix(allowed, "$JS.") {
				continue // what JetStream's clients need, of which the table has examples
			}
			if !slices.ContainsFunc(documented, func(s string) bool { return subjectMatches(allowed, s) }) {
				t.Errorf("%s may use %s, which the table does not have", node, allowed)
			}
		}
	}
}

// subjectMatches tells whether a subject is one of a pattern's.
func subjectMatches(pattern, subject string) bool {
	p, s := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range p {
		if token == ">" {
			return len(s) > i
		}
		if i >= len(s) || token != "*" && token != s[i] {
			return false
		}
	}
	return len(p) == len(s)
}

// thief is who has a world's credentials, with a client that knows nothing of gatepass.
type thief struct {
	t      *testing.T
	nats   *nats.Conn
	self   worlds.Node
	answer *nats.Subscription
	end    *nats.Subscription
	life   uint64
}

func (s *stage) steal(t *testing.T, self worlds.Node) *thief {
	t.Helper()
	x := &thief{t: t, nats: mustJoin(t, s.server, s.credsOf(self)), self: self, life: 1}
	var err, fault error
	x.answer, err = x.nats.SubscribeSync(prefixPlace + string(self))
	x.end, fault = x.nats.SubscribeSync(prefixEnd + string(self))
	if err != nil || fault != nil {
		t.Fatal(err, fault)
	}
	return x
}

// announces says that an account's key is at the stolen world.
func (x *thief) announces(a worlds.Announcement) {
	x.t.Helper()
	if err := x.nats.Publish(prefixAnnounce+string(x.self), appendAnnounce(nil, x.life, []worlds.Announcement{a})); err != nil {
		x.t.Fatal(err)
	}
}

// asks asks for an account; it does not wait.
func (x *thief) asks(account string) {
	x.t.Helper()
	l := worlds.Locate{Account: mustName(x.t, account), Tag: 1}
	if err := x.nats.Publish(prefixLocate+string(x.self), appendLocate(nil, &l)); err != nil {
		x.t.Fatal(err)
	}
}

// placeOf is the next answer's holder.
func (x *thief) placeOf(account string) string {
	x.t.Helper()
	x.asks(account)
	m, err := x.answer.NextMsg(patience)
	if err != nil {
		x.t.Fatal(err)
	}
	var w placeWire
	if err := decodeJSON(m.Data, maxSmall, &w); err != nil {
		x.t.Fatal(err)
	}
	return w.Holder
}

// told is how many ends came.
func (x *thief) told() int {
	n, _, err := x.end.Pending()
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

// patientManager is one that a busy machine does not keep from leading, and that
// forgets no world because it was slow.
func patientManager() ManagerOptions {
	return ManagerOptions{Heartbeat: 2 * time.Second, Lease: 3 * time.Second}
}

// mustTake has ALICE at a login server and BOB in a world.
func mustTake(t *testing.T, s *stage, m *testManager, world worlds.Node) (login, player *correspondent) {
	t.Helper()
	login, player = s.correspond("login.eu1", 1), s.correspond(world, 3)
	s.mustJoin(player.conn, 3)
	login.submit(announce("ALICE", 10, worlds.AnnounceFresh), announce("BOB", 11, worlds.AnnounceFresh))
	moved := announce("BOB", 11, worlds.AnnounceMoved)
	moved.Announce.Hop = 1
	eventually(t, "both are known", func() bool { return m.monitor.Stats().Directory.Entries == 2 })
	eventually(t, "one is in the world", func() bool {
		player.submit(s.vouched(world, moved)) // again, for an Up may come in between
		return m.monitor.Stats().Directory.ByNode[world] == 1
	})
	return login, player
}

// Who has a world's credentials tries every stamp for an account that is in another
// world and for one that is at its login server. Nothing is answered, nobody loses his
// place, and a ban reaches the player.
func TestCredentials_AStolenWorldFindsNobodysStamp(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	m := s.manage("manager.a", patientManager()).mustLead(t)
	login, player := mustTake(t, s, m, "world.7")
	x := s.steal(t, "world.9")
	registration := testRegistration(9, 5)
	payload, err := encodeRegistration(&registration)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.nats.Request(worldSubject(9, suffixRegister), payload, patience); err != nil {
		t.Fatal(err)
	}
	before := m.monitor.Stats().Directory.Unvouched
	kinds := []worlds.AnnouncementKind{worlds.AnnounceMoved, worlds.AnnounceHeld}
	said := 0
	for _, account := range []string{"ALICE", "BOB", "NOBODY"} {
		for stamp := worlds.Stamp(5); stamp < 20; stamp++ {
			for _, hop := range []uint32{0, 1, 2, worlds.MaxHop, 1<<32 - 1} {
				a := worlds.Announcement{Account: mustName(t, account), Stamp: stamp, Hop: hop, Kind: kinds[said%2]}
				if hop == 2 {
					a.Voucher = worlds.Voucher{1, 2, 3}
				}
				said++
				x.announces(a)
			}
		}
	}
	refused := uint64(said / 5 * 4) // too many hops are refused before the voucher is looked at
	eventually(t, "all is heard", func() bool { return m.monitor.Stats().Directory.Unvouched-before == refused })
	for account, want := range map[string]string{"ALICE": "login.eu1", "BOB": "", "NOBODY": ""} {
		if got := x.placeOf(account); got != want {
			t.Errorf("it is told that %s is at %q, want %q", account, got, want)
		}
	}
	login.submit(worlds.Effect{End: &worlds.AccountEnd{Account: mustName(t, "BOB"), Why: "ban"}})
	eventually(t, "the ban reaches the player", func() bool { return player.count(isEnd) == 1 })
	if n := x.told(); n != 0 {
		t.Errorf("it was told %d ends", n)
	}
}

// Under the rule that who is in a world stays, a world that is not registered would
// keep out whom it names. It is not heard, with a voucher of the region neither, and not
// answered.
func TestCredentials_AnUnregisteredWorldLocksNobodyOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	o := patientManager()
	o.SecondLogin = worlds.SecondLoginRefuse
	m := s.manage("manager.a", o).mustLead(t)
	login, _ := mustTake(t, s, m, "world.7")
	x := s.steal(t, "world.9")
	before := m.monitor.Stats().Directory.Refused
	named := announce("CARL", 5, worlds.AnnounceHeld)
	x.announces(*s.vouched("world.9", named).Announce)
	x.asks("ALICE")
	eventually(t, "it was refused", func() bool { return m.monitor.Stats().Directory.Refused >= before+2 })
	login.submit(announce("CARL", 20, worlds.AnnounceFresh))
	eventually(t, "the player is in", func() bool { return m.monitor.Stats().Directory.Entries == 3 })
	if n, _, err := x.answer.Pending(); n != 0 || err != nil || login.count(isEnd) != 0 || x.told() != 0 {
		t.Errorf("it had %d answers and %d ends, the player %d: %v", n, x.told(), login.count(isEnd), err)
	}
}

// The voucher key goes to login servers only: an operator's list is without.
func TestCredentials_OnlyLoginServersGetTheVoucherKey(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.manage("manager.a", ManagerOptions{}).mustLead(t)
	if !s.vouchers().Ready() {
		t.Fatal("a login server has none")
	}
	admin := s.connect("admin.a")
	answer, err := admin.request(t.Context(), subjectSnapshot, []byte("{}"))
	if err != nil || strings.Contains(string(answer), "voucher") {
		t.Errorf("an operator is told %s, %v", answer, err)
	}
}

// Worlds are believed for what they were given before, whoever leads, and whatever was
// started anew meanwhile: manager, bus and all.
func TestCredentials_VouchersOutliveManagers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.options.Store = t.TempDir()
	s.restart()
	m := s.manage("manager.a", patientManager()).mustLead(t)
	_, player := mustTake(t, s, m, "world.7")
	m.end()
	s.restart()
	again := s.manage("manager.b", ManagerOptions{}).mustLead(t)
	moved := announce("BOB", 11, worlds.AnnounceHeld)
	moved.Announce.Hop = 1
	eventually(t, "its player is known again", func() bool {
		player.submit(s.vouched("world.7", moved)) // with the key of before
		return again.monitor.Stats().Directory.ByNode["world.7"] == 1
	})
}
