package terminal

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/exit"
)

// NoArgs accepts no argument.
func NoArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return exit.Usage(fmt.Errorf("%s takes no arguments, got %q (see '%s --help')", c.CommandPath(), args, c.CommandPath()))
}

// OneFile accepts exactly one argument, a file.
func OneFile(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return exit.Usage(fmt.Errorf("%s takes one file, or - for standard input (see '%s --help')", c.CommandPath(), c.CommandPath()))
}
