package client

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"gatepass/client"
)

// Like every command, client --json prints one object per line.
func TestClientJSON_OneShape(t *testing.T) {
	var out bytes.Buffer
	e := newEventPrinter(&out, 1)
	for _, news := range []any{worldsNews{list: []client.World{{ID: 1}}}, releasedNews{}} {
		if err := e.tell(news); err != nil {
			t.Fatal(err)
		}
	}
	text := out.String()
	from, n := json.NewDecoder(strings.NewReader(text)), 0
	for ; ; n++ {
		var object map[string]any
		if err := from.Decode(&object); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in %q", err, text)
		}
	}
	if n != 2 || strings.Count(text, "\n") != n {
		t.Errorf("%d objects, want 2, each on a line: %q", n, text)
	}
}
