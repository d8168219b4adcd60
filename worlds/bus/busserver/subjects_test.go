package busserver_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/credentials"
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
	page, err := os.ReadFile("../../../docs/bus-credentials.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "### Every subject")
	table, _, _ = strings.Cut(table, "\n#")
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
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	rows := documentedSubjects(t)
	setup, err := nats.Connect("", nats.InProcessServer(s), nats.UserCredentials(path(a, credentials.FileSetup)), busserver.SetupInbox(),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	defer setup.Close()
	clients := map[string]*nats.Conn{"setup": setup}
	for kind, node := range map[string]worlds.Node{"world": "world.7", "login": "login.eu1", "manager": "manager.a", "dns": "dns.a", "admin": "admin.a"} {
		clients[kind] = bustest.MustJoin(t, s, bustest.MustCreds(t, a, node))
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
		p := credentials.PermissionsFor(node)
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
