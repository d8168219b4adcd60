package client_test

import (
	"errors"
	"testing"

	"gatepass/client"
)

func TestParseAddress(t *testing.T) {
	for given, want := range map[string]string{
		"login.example": "login.example:3725", "login.example:9": "login.example:9", "127.0.0.1": "127.0.0.1:3725",
		"::1": "[::1]:3725", "[::1]": "[::1]:3725", "[::1]:9": "[::1]:9", "fe80::1%eth0": "[fe80::1%eth0]:3725",
	} {
		if got, err := client.ParseAddress(given); err != nil || got != want {
			t.Errorf("%q is %q, %v", given, got, err)
		}
	}
	for _, given := range []string{
		"", ":3725", "http://login.example", "http://login.example:3725/", "login.example/", "login.example:", "login.example:0",
		"login.example:70000", "login.example:http", "a:b:c", "ana@login.example", "two words",
	} {
		if got, err := client.ParseAddress(given); !errors.Is(err, client.ErrAddress) {
			t.Errorf("%q is %q, %v", given, got, err)
		}
	}
}
