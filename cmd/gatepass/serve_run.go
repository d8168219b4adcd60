package main

import (
	"context"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/config"
)

// runRole runs the process of a role with the configuration and the output of a command.
func runRole(cmd *cobra.Command, c *config.Config, start func(context.Context, *process) error) error {
	return runProcess(cmd.Context(), runOptions{config: c, out: cmd.OutOrStdout(), errOut: cmd.ErrOrStderr()}, start)
}
