package account

import (
	"bytes"
	"strings"
	"testing"

	"gatepass/storage"
)

// A player's name for a device cannot control the operator's terminal.
func TestPrintDevices_NamesAreText(t *testing.T) {
	for name, want := range map[string]string{
		"": "(no name)", "Ana's laptop": "Ana's laptop", "Žana 端末": "Žana 端末", "a\x1b[2Jb\nc": "a?[2Jb?c", "a\u202eb": "a?b", "a\xffb": "a\ufffdb",
	} {
		var out bytes.Buffer
		if err := printDevices(&out, []storage.Device{{Name: name}}, deviceView{}); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[1], "  "+want) {
			t.Errorf("%q: %q", name, out.String())
		}
	}
}
