package load

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"gatepass/codec"
)

func TestMakeAccounts_FitTheProtocol(t *testing.T) {
	accounts := MakeAccounts(3)
	want := []Account{{"LOAD000001", "PASS000001"}, {"LOAD000002", "PASS000002"}, {"LOAD000003", "PASS000003"}}
	if !slices.Equal(accounts, want) {
		t.Errorf("accounts = %v, want %v", accounts, want)
	}
	for i, change := range []func(int, Account) Account{asGiven, otherPassword, stranger} {
		a := change(MaxAccounts-1, Account{"LOAD999999", "PASS999999"})
		if len(a.Name) > codec.MaxName || len(a.Password) > codec.MaxName {
			t.Errorf("change %d: %v is too long", i, a)
		}
		if a == (Account{"LOAD999999", "PASS999999"}) != (i == 0) {
			t.Errorf("change %d: %v", i, a)
		}
	}
}

func TestAccounts_WrittenAndRead(t *testing.T) {
	accounts := append(MakeAccounts(100), Account{Name: "Comma", Password: `a,"b`})
	var b bytes.Buffer
	if err := WriteAccounts(&b, accounts); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "username,password\nLOAD000001,PASS000001\n") {
		t.Errorf("file begins %.50q", b.String())
	}
	got, err := ReadAccounts(&b)
	if err != nil || !slices.Equal(got, accounts) {
		t.Errorf("read %d accounts, %v, want the %d written", len(got), err, len(accounts))
	}
}

func TestReadAccounts_Refuses(t *testing.T) {
	for name, file := range map[string]string{
		"nothing":        "",
		"no header":      "LOAD1,PASS1\n",
		"no accounts":    "username,password\n",
		"three columns":  "username,password\na,b,c\n",
		"no name":        "username,password\n,b\n",
		"name too long":  "username,password\nABCDEFGHIJKLMNOPQ,b\n",
		"unended quotes": "username,password\n\"a,b\n",
	} {
		if _, err := ReadAccounts(strings.NewReader(file)); !errors.Is(err, ErrAccounts) {
			t.Errorf("%s: err = %v, want ErrAccounts", name, err)
		}
	}
}

func TestCast_Mix_FollowsThePercentages(t *testing.T) {
	c := newCast(castOptions{Accounts: MakeAccounts(7), WrongPercent: 20, UnknownPercent: 30, Seed: 1})
	var counts [PlanCount]int
	for range 10_000 {
		counts[c.next().plan]++
	}
	for plan, want := range [PlanCount]int{5000, 2000, 3000} {
		if off := counts[plan] - want; off < -200 || off > 200 {
			t.Errorf("%v: %d of 10,000, want about %d", Plan(plan), counts[plan], want)
		}
	}
}
