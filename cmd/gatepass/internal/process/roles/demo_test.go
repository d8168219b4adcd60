package roles

import "testing"

func TestIsReady(t *testing.T) {
	for line, want := range map[string]bool{
		"ready grunt=127.0.0.1:1": true, `{"time":"x","level":"INFO","msg":"ready","admin":"y"}`: true,
		"draining": false, `{"msg":"already"}`: false, "": false,
	} {
		if isReady([]byte(line)) != want {
			t.Errorf("%q", line)
		}
	}
}
