package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestVersion_JSON(t *testing.T) {
	var b build
	if err := json.Unmarshal([]byte(mustRun(t, "", "version", "--json")), &b); err != nil {
		t.Fatal(err)
	}
	if b.Version == "" || !strings.HasPrefix(b.Go, "go") || !strings.Contains(b.Platform, "/") {
		t.Errorf("incomplete: %+v", b)
	}
}
