package serve

import (
	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process/roles"
)

// Login returns the command that runs a login server.
func Login() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Run a login server",
		Long: `Run a login server: clients prove who they are, see the worlds, and are admitted to
the one they select.

It is a node of the region's bus and needs credentials of its own there:
    gatepass bus add-login NAME
The bus may come later: until it does, clients see the worlds of the
configuration, or none. Accounts are kept in --data.

It prints a line that begins with "ready" once it serves. SIGTERM or Ctrl-C
drains and ends it: DNS sends no more clients to it, and another login server knows
the clients that reconnect to it.`,
		Example: `  gatepass login --node eu1 --grunt 0.0.0.0:3724 --advertise 198.51.100.7:3724
  gatepass login --config gatepass.toml --bus.url tls://bus.example.org:4222`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), map[string]any{"node": "login"})
			if err != nil {
				return err
			}
			return run(cmd, c, roles.Login)
		},
	}
	config.CommonFlags(cmd.Flags())
	config.EdgeFlags(cmd.Flags())
	cmd.Flags().String("node", "login", "`NAME` of this login server in its region")
	cmd.Flags().String("advertise", "", "`IP:PORT` that DNS tells clients; empty takes --grunt")
	return cmd
}
