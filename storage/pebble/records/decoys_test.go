package records

import (
	"errors"
	"testing"

	"gatepass/storage"
)

func TestParseDecoys_RefusesWhatIsNone(t *testing.T) {
	good := AppendDecoys(nil, &storage.Decoys{Shared: true, Secret: [32]byte{7}, Salts: storage.SaltShape{Marked: 256, ZeroTop: true}})
	if len(good) != decoysRecord {
		t.Fatalf("%d bytes", len(good))
	}
	for n := range good {
		if err := ParseDecoys(good[:n], new(storage.Decoys)); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	for at, b := range map[int]byte{1: 4, 2: 2} { // an unknown flag, Marked above 256
		bad := append([]byte(nil), good...)
		bad[at] = b
		if at == 2 {
			bad[3] = 1
		}
		if err := ParseDecoys(bad, new(storage.Decoys)); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("byte %d is %d: %v", at, b, err)
		}
	}
	if err := ParseDecoys(append(good, 0), new(storage.Decoys)); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("a byte more: %v", err)
	}
}
