package protocol

import (
	"slices"
	"testing"

	"gatepass/codec"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/players"
)

func TestMakeAccounts_FitTheProtocol(t *testing.T) {
	accounts := players.MakeAccounts(3)
	want := []players.Account{{Name: "LOAD000001", Password: "PASS000001"}, {Name: "LOAD000002", Password: "PASS000002"}, {Name: "LOAD000003", Password: "PASS000003"}}
	if !slices.Equal(accounts, want) {
		t.Errorf("accounts = %v, want %v", accounts, want)
	}
	for i, change := range []func(int, players.Account) players.Account{unchanged, wrongPassword, unknownAccount} {
		a := change(players.MaxAccounts-1, players.Account{Name: "LOAD999999", Password: "PASS999999"})
		if len(a.Name) > codec.MaxName || len(a.Password) > codec.MaxName {
			t.Errorf("change %d: %v is too long", i, a)
		}
		if a == (players.Account{Name: "LOAD999999", Password: "PASS999999"}) != (i == 0) {
			t.Errorf("change %d: %v", i, a)
		}
	}
}

func TestAccounts_Mix_FollowsThePercentages(t *testing.T) {
	c := NewAccounts(AccountsOptions{Accounts: players.MakeAccounts(7), WrongPercent: 20, UnknownPercent: 30, Seed: 1})
	var got [counts.PlanCount]int
	for range 10_000 {
		got[c.Next().Plan]++
	}
	for plan, want := range [counts.PlanCount]int{5000, 2000, 3000} {
		if off := got[plan] - want; off < -200 || off > 200 {
			t.Errorf("%v: %d of 10,000, want about %d", counts.Plan(plan), got[plan], want)
		}
	}
}
