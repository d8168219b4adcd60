package players

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

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
