package credentials

import "testing"

func TestDemandsTLS(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"nats://127.0.0.1:4222": false, "nats://[::1]:4222": false, "nats://localhost:4222": false,
		"tls://127.0.0.1:4222": true, "nats://10.0.0.1:4222": true, "nats://bus.example.org:4222": true,
		"nats://127.0.0.1:4222,nats://10.0.0.1:4222": true, "nats://localhost.example.org:4222": true,
	} {
		if got, err := DemandsTLS(url, ""); got != want || err != nil {
			t.Errorf("%s: %v, %v", url, got, err)
		}
	}
}
