package serve

import (
	"context"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process"
)

// run runs the process of a role with the configuration and the output of a command.
func run(cmd *cobra.Command, c *config.Config, start func(context.Context, *process.Process) error) error {
	return process.Run(cmd.Context(), process.Options{Config: c, Out: cmd.OutOrStdout(), ErrOut: cmd.ErrOrStderr()}, start)
}
