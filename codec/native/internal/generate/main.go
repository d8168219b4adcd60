// Command generate writes the files that are generated from gatepass.proto: the Go types of
// gatepasspb, and the descriptor that other tools can read instead of the source. It compiles
// the contract itself, without protoc and without downloads, so the same tree always gives the
// same bytes. `make generate` runs it. Its tests fail if the committed files differ from its
// output, or if the contract is not compatible with the baseline.
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
		panic(err) // a developer's tool; only gatepass itself exits with a code
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
