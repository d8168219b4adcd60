package world

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func TestDigest_Vectors(t *testing.T) {
	for i, r := range mustReadTSV(t, "auth_session_digest.tsv", 1529) {
		// The name is hashed as received, in capitals (quirk 71).
		name := []byte(strings.ToUpper(r["user"]))
		got := Digest(name, [4]byte(r.hex(t, "client_seed")), [4]byte(r.hex(t, "server_seed")), r.key(t))
		if !bytes.Equal(got[:], r.hex(t, "digest")) {
			t.Errorf("row %d: %x", i, got)
		}
	}
}

func TestDigest_OfRealClients(t *testing.T) {
	for _, c := range namedCases(t, "auth_session_digest", 3) {
		var client, server [4]byte
		binary.LittleEndian.PutUint32(client[:], c.Given.ClientSeed)
		binary.LittleEndian.PutUint32(server[:], c.Given.ServerSeed)
		key := [40]byte(c.Given.K)
		if got := Digest([]byte(c.Given.User), client, server, &key); !bytes.Equal(got[:], c.Expect.Digest) {
			t.Errorf("%s: %x", c.ID, got)
		}
	}
}

// Every input changes the digest.
func TestDigest_NeedsEverything(t *testing.T) {
	base := Digest([]byte("A"), [4]byte{1}, [4]byte{2}, &testKey)
	other := testKey
	other[39]++
	for what, d := range map[string][20]byte{
		"name":   Digest([]byte("B"), [4]byte{1}, [4]byte{2}, &testKey),
		"letter": Digest([]byte("a"), [4]byte{1}, [4]byte{2}, &testKey),
		"client": Digest([]byte("A"), [4]byte{3}, [4]byte{2}, &testKey),
		"server": Digest([]byte("A"), [4]byte{1}, [4]byte{3}, &testKey),
		"turned": Digest([]byte("A"), [4]byte{2}, [4]byte{1}, &testKey),
		"key":    Digest([]byte("A"), [4]byte{1}, [4]byte{2}, &other),
	} {
		if d == base {
			t.Errorf("the %s does not count", what)
		}
	}
}
