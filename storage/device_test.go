package storage_test

import (
	"fmt"
	"testing"

	"gatepass/storage"
)

func TestDevice_StringHides(t *testing.T) {
	d := &storage.Device{Name: "laptop", Key: [32]byte{1}}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(format, *d); s != "device" {
			t.Errorf("%s: %s", format, s)
		}
	}
}
