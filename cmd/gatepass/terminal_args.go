package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/exit"
)

// noArgs takes no argument.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return exit.Usage(fmt.Errorf("%s takes no arguments, got %q (see '%s --help')", c.CommandPath(), args, c.CommandPath()))
}

func oneFile(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return exit.Usage(fmt.Errorf("%s takes one file, or - for standard input (see '%s --help')", c.CommandPath(), c.CommandPath()))
}
