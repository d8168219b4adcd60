package main

import (
	"encoding/json"
	"strings"
	"testing"

	"gatepass/cmd/gatepass/internal/process"
)

func TestVersion_JSON(t *testing.T) {
	var b process.Build
	if err := json.Unmarshal([]byte(mustRun(t, "", "version", "--json")), &b); err != nil {
		t.Fatal(err)
	}
	if b.Version == "" || !strings.HasPrefix(b.Go, "go") || !strings.Contains(b.Platform, "/") {
		t.Errorf("incomplete: %+v", b)
	}
}
