// Command generate makes what is generated from gatepass.proto: the Go types of
// gatepasspb, and the descriptor that other tools can read instead of the source. It
// compiles the contract itself, without protoc and without fetching anything, so
// that the same tree always gives the same bytes. `make generate` runs it; its tests
// fail when what is committed is not what it would write, or when the contract has
// broken with the baseline.
//
//	go run ./codec/native/internal/generate codec/native
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		panic(err) // a developer's tool; nothing but gatepass itself exits by a code
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("generate: the folder of gatepass.proto is wanted")
	}
	files, err := Generate(args[0])
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(args[0], name), text, 0o644); err != nil {
			return fmt.Errorf("generate: %w", err)
		}
	}
	return nil
}
