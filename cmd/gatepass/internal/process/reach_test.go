package process

import (
	"context"
	"strings"
	"testing"
)

func TestNameDoubt(t *testing.T) {
	for _, c := range []struct {
		name   string
		remote bool
		want   string
	}{
		{"no-such-name.invalid", false, "cannot be resolved here"},
		{"localhost", true, "leads clients to their own machine"},
		{"localhost", false, ""},
	} {
		if got := nameDoubt(context.Background(), c.name, c.remote); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestRemoteClients(t *testing.T) {
	for listen, want := range map[string]bool{
		":1": true, "0.0.0.0:1": true, "192.0.2.1:1": true, "host:1": true, "127.0.0.1:1": false, "[::1]:1": false, "localhost:1": false,
	} {
		if got := RemoteClients(listen); got != want {
			t.Errorf("%s: %v", listen, got)
		}
	}
}
