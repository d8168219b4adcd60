package accounts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"gatepass/storage"
)

func TestManager_Add_ThenPasswordOpens(t *testing.T) {
	m := newTestManager(t)
	if err := m.Add(t.Context(), "alice", "SeCret1"); err != nil {
		t.Fatal(err)
	}
	a := mustShow(t, m, "ALICE")
	if a.Created != testTime || !opens(a, "secret1") || opens(a, "secret2") {
		t.Errorf("created %d, or the password does not open it", a.Created)
	}
	if err := m.Add(t.Context(), "Alice", "x"); !errors.Is(err, storage.ErrExists) || !strings.Contains(err.Error(), "ALICE") {
		t.Errorf("second add: %v", err)
	}
}

func TestManager_SetPassword(t *testing.T) {
	m := newTestManager(t)
	if err := m.SetPassword(t.Context(), "ALICE", "x"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("no account: %v", err)
	}
	if err := m.Add(t.Context(), "ALICE", "old"); err != nil {
		t.Fatal(err)
	}
	if err := m.SetPassword(t.Context(), "alice", "new"); err != nil {
		t.Fatal(err)
	}
	if a := mustShow(t, m, "ALICE"); opens(a, "old") || !opens(a, "new") {
		t.Error("the password is still the old one")
	}
}

func TestManager_FieldErrorsNameTheField(t *testing.T) {
	m := newTestManager(t)
	for _, c := range []struct{ name, password, field string }{
		{"", "x", "name"}, {strings.Repeat("a", 17), "x", "name"}, {"a:b", "x", "name"}, {" a", "x", "name"},
		{"ž", "x", "name"}, {"A", "", "password"}, {"A", strings.Repeat("p", 17), "password"},
		{"A", "pass\twörd", "password"},
	} {
		var field *FieldError
		err := m.Add(t.Context(), c.name, c.password)
		if !errors.As(err, &field) || field.Field != c.field {
			t.Errorf("%q, %q: %v, want an error of %s", c.name, c.password, err, c.field)
		}
		if c.field == "password" && c.password != "" && strings.Contains(err.Error(), c.password) {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestManager_BanUntil(t *testing.T) {
	m := newTestManager(t)
	if err := m.Add(t.Context(), "BOB", "x"); err != nil {
		t.Fatal(err)
	}
	until := time.Unix(testTime+60, 0)
	if err := m.Ban(t.Context(), "bob", Sentence{Until: until, Reason: "botting", By: "gm"}); err != nil {
		t.Fatal(err)
	}
	want := storage.Ban{Set: true, Since: testTime, Until: testTime + 60, Reason: "botting", By: "gm"}
	if got := mustShow(t, m, "BOB").Ban; got != want {
		t.Errorf("ban %+v, want %+v", got, want)
	}
	if err := m.Ban(t.Context(), "bob", Sentence{Until: time.Unix(testTime, 0)}); err == nil {
		t.Error("a ban that is over was taken")
	}
	if err := m.Ban(t.Context(), "bob", Sentence{Forever: true, Reason: "two\nlines"}); err == nil {
		t.Error("a reason of two lines was taken")
	}
	if err := m.Unban(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
	if mustShow(t, m, "BOB").Ban.Set {
		t.Error("still banned")
	}
	if err := m.Unban(t.Context(), "bob"); !errors.Is(err, storage.ErrNotBanned) || err.Error() != "account BOB is not banned" {
		t.Errorf("second unban: %v", err)
	}
	if err := m.Unban(t.Context(), "eve"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("unban of nobody: %v", err)
	}
}

func TestManager_BanAddress(t *testing.T) {
	m := newTestManager(t)
	prefix, err := ParsePrefix("203.0.113.77/24")
	if err != nil {
		t.Fatal(err)
	}
	if err := m.BanAddress(t.Context(), prefix, Sentence{Forever: true, Reason: "flood"}); err != nil {
		t.Fatal(err)
	}
	bans, err := m.AddressBans(t.Context())
	if err != nil || len(bans) != 1 || bans[0].Prefix != netip.MustParsePrefix("203.0.113.0/24") {
		t.Errorf("bans %v, %v", bans, err)
	}
	if err := m.UnbanAddress(t.Context(), prefix); err != nil {
		t.Fatal(err)
	}
	if err := m.UnbanAddress(t.Context(), prefix); !errors.Is(err, storage.ErrNotBanned) || !strings.Contains(err.Error(), "no ban of 203.0.113.0/24") {
		t.Errorf("second unban: %v", err)
	}
}

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.2.3": "10.1.2.3/32", "10.1.2.3/8": "10.0.0.0/8", "2001:db8::1": "2001:db8::1/128",
		"::ffff:10.1.2.3": "10.1.2.3/32", "0.0.0.0/0": "", "::/0": "", "fe80::1%eth0": "", "here": "", "": "",
	} {
		prefix, err := ParsePrefix(text)
		if want == "" != (err != nil) || err == nil && prefix.String() != want {
			t.Errorf("%q: %v, %v; want %q", text, prefix, err, want)
		}
	}
}

func TestManager_OnChange_TellsDurableChangesOnly(t *testing.T) {
	var kinds []ChangeKind
	o := testOptions()
	o.OnChange = func(c Change) { kinds = append(kinds, c.Kind) }
	m := New(openStore(t), o)
	ctx := t.Context()
	prefix := netip.MustParsePrefix("10.0.0.0/8")
	m.Delete(ctx, "nobody")
	m.Add(ctx, "EVE", "x")
	m.Add(ctx, "EVE", "x")
	m.Show(ctx, "EVE")
	m.SetPassword(ctx, "EVE", "y")
	m.SetPIN(ctx, "EVE", "1")
	m.SetPIN(ctx, "EVE", "1234")
	m.Ban(ctx, "EVE", Sentence{Forever: true})
	m.Unban(ctx, "EVE")
	m.Delete(ctx, "EVE")
	m.BanAddress(ctx, prefix, Sentence{Forever: true})
	m.UnbanAddress(ctx, prefix)
	want := []ChangeKind{ChangeAdd, ChangePassword, ChangeFactors, ChangeBan, ChangeUnban, ChangeDelete, ChangeBanAddress, ChangeUnbanAddress}
	if !slices.Equal(kinds, want) {
		t.Errorf("told %v, want %v", kinds, want)
	}
	for _, k := range append(kinds, 0) {
		if (k.String() == "unknown") != (k == 0) {
			t.Errorf("kind %d is called %s", k, k)
		}
	}
}

// lostStore is a Store that fails with a given error.
type lostStore struct {
	each, whole error
}

func (s lostStore) Do(_ context.Context, ops ...storage.Op) ([]storage.Result, error) {
	if s.whole != nil {
		return nil, s.whole
	}
	results := make([]storage.Result, len(ops))
	for i := range results {
		results[i].Err = s.each
	}
	return results, nil
}

// OnChange gets a ban that may still be stored, so that the sessions end. It does not
// get a ban that was refused.
func TestManager_OnChange_TellsChangesOfUnknownOutcome(t *testing.T) {
	for _, c := range []struct {
		store lostStore
		told  int
	}{
		{lostStore{whole: context.DeadlineExceeded}, 2},
		{lostStore{whole: storage.ErrClosed}, 2},
		{lostStore{each: fmt.Errorf("%w: the disk is full", storage.ErrFailed)}, 2},
		{lostStore{each: storage.ErrNotFound}, 0},
		{lostStore{each: storage.ErrInvalid}, 0},
	} {
		var told []ChangeKind
		o := testOptions()
		o.OnChange = func(c Change) { told = append(told, c.Kind) }
		m := New(c.store, o)
		want := cmp.Or(c.store.whole, c.store.each)
		for _, err := range []error{
			m.Ban(t.Context(), "EVE", Sentence{Forever: true}),
			m.BanAddress(t.Context(), netip.MustParsePrefix("10.0.0.0/8"), Sentence{Forever: true}),
		} {
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		if _, err := m.Show(t.Context(), "EVE"); !errors.Is(err, want) {
			t.Errorf("show: %v, want %v", err, want)
		}
		if len(told) != c.told {
			t.Errorf("%v: told %v", want, told)
		}
	}
}

func TestManager_All_CrossesPages(t *testing.T) {
	m := newTestManager(t)
	const n = 2*ListPage + 3
	var text strings.Builder
	text.WriteString("username,password\n")
	for i := range n {
		text.WriteString("P" + string(rune('A'+i/26/26)) + string(rune('A'+i/26%26)) + string(rune('A'+i%26)) + ",x\n")
	}
	mustImport(t, m, text.String(), ImportOptions{})
	var last storage.Name
	count := 0
	for a, err := range m.All(t.Context(), storage.Name{}) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Name.String() <= last.String() {
			t.Fatalf("%s comes behind %s", a.Name, last)
		}
		last, count = a.Name, count+1
	}
	if count != n {
		t.Errorf("listed %d accounts, want %d", count, n)
	}
}
