package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts run this test binary as gatepass: the real command
// tree in a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gatepass": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"remember": remember,
	})
}

// TestScript runs each file of testdata/script; they tell what they show.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GORACE", "atexit_sleep_ms=0") // a command under the race detector ends at once
			return nil
		},
	})
}
