package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"gatepass/accounts"
	"gatepass/storage"
)

// answer gives a command without a socket: the status and the text of its reply.
func answer(h *handler, command, body string) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "http://gatepass"+pathPrefix+command, strings.NewReader(body)))
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(w.Body.String()))
}

// requests are what a client may send, right and wrong.
var requests = [][2]string{
	{"account.list", `{"limit":-5}`},
	{"account.list", `{"after":"A","limit":5}`},
	{"account.add", `{"account":{"username":"A"}}`},
	{"account.add", `{"account":{"username":"B","salt":"` + strings.Repeat("5A", 32) + `","verifier":"` + strings.Repeat("5B", 32) + `"}}`},
	{"account.ban", `{"name":"A","ban":{"until":"0000-01-01T00:00:00Z"}}`},
	{"account.batch", `{"command":"address.ban"}{"address":"10.0.0.0/8","ban":{"forever":true,"reason":"x"}}{"command":"address.list"}{}{"command":"account.show"}{"name":"A"}`},
	{"account.batch", `{"command":"account.forget-device"}{"name":"A","family":"` + strings.Repeat("00", 16) + `"}{"command":"account.devices"}{"name":"A","keys":true}`},
	{"account.batch", `{"command":"account.delete"}{"name":"A"}{"command":"account.unban"}{"name":"A"}`},
	{"account.show", `{"name":"A"}`}, {"world.list", `{}`}, {"notice.send", `{"text":"hello"}`},
	{"nothing", `{}`}, {"account.show", `[]`}, {"account.show", `{"name"`}, {"account.show", ``}, {"", ``},
}

// cannedStore answers every operation with all that a result can hold, and changes
// nothing: the same request always takes the same way.
type cannedStore struct{ accounts []storage.Account }

func (s *cannedStore) Do(_ context.Context, ops ...storage.Op) ([]storage.Result, error) {
	results := make([]storage.Result, len(ops))
	for i := range ops {
		results[i] = storage.Result{
			Kind: ops[i].Kind, Tag: ops[i].Tag, Name: ops[i].Name, Account: &s.accounts[0], Accounts: s.accounts,
			AddressBans: []storage.AddressBan{{Prefix: netip.MustParsePrefix("10.0.0.0/8")}}, Devices: []storage.Device{{}},
		}
	}
	return results, nil
}

// mustAnswer wants a reply that is a stream of objects, of which an error is the last.
func mustAnswer(t *testing.T, h *handler, command, body string) {
	t.Helper()
	status, text, _ := strings.Cut(answer(h, command, body), " ")
	d := json.NewDecoder(strings.NewReader(text))
	failed := false
	for d.More() {
		var object map[string]json.RawMessage
		if err := d.Decode(&object); err != nil || failed {
			t.Fatalf("%s %q: %s %s, %v", command, body, status, text, err)
		}
		failed = object["error"] != nil && object["item"] == nil
	}
	if failed != (status != "200") {
		t.Errorf("%s %q: %s %s", command, body, status, text)
	}
}

func TestHandler_EveryRequestHasOneReply(t *testing.T) {
	h := newHandler(Services{Accounts: newTestManager(t)}, slog.New(slog.DiscardHandler))
	for _, r := range requests {
		mustAnswer(t, h, r[0], r[1])
	}
}

// FuzzHandler has no store behind it: a store works in the background, so that
// one request covers other code each time, and the fuzzer follows up what it did not do.
func FuzzHandler(f *testing.F) {
	for _, r := range requests {
		f.Add(r[0], r[1])
	}
	store := new(cannedStore)
	for _, text := range []string{"A", "B"} {
		store.accounts = append(store.accounts, storage.Account{Name: nameOf(f, text)})
	}
	h := newHandler(Services{Accounts: accounts.New(store, testOptions())}, slog.New(slog.DiscardHandler))
	f.Fuzz(func(t *testing.T, command, body string) {
		if h.table.byName[command] == nil {
			command = "" // paths are net/http's
		}
		mustAnswer(t, h, command, body)
	})
}
