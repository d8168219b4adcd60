package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// With log.format json, output and errors are one stream of objects, however the process
// ends.
func TestRun_EndsInJSON(t *testing.T) {
	for what, args := range map[string][]string{
		"a fault of the configuration": {"dev", "--log.format", "json", "--grunt", "nowhere"},
		"a fault of the start":         {"dev", "--log.format", "json", "--data", "/dev/null/x", "--admin", "127.0.0.1:0"},
	} {
		var out, errOut bytes.Buffer
		if code := run(args, strings.NewReader(""), &out, &errOut); code == 0 {
			t.Errorf("%s: it went well", what)
		}
		var last struct{ Level, Msg, Error string }
		for line := range strings.Lines(out.String() + errOut.String()) {
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Errorf("%s: %q: %v", what, line, err)
			}
		}
		if last.Msg != "gatepass ends" || last.Level != "ERROR" || last.Error == "" {
			t.Errorf("%s: its end is %+v", what, last)
		}
	}
}
