package serve

import (
	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process/roles"
)

// Worlds returns the command that runs a world manager.
func Worlds() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "worlds",
		Short: "Run a world manager, and the bus if there is no other",
		Long: `Run a world manager: worlds register with it and send a heartbeat every two
seconds; it tells every login server of each change, and where a player's key is.

Without --bus.url it serves the region's bus itself, at --bus.listen; the first start
makes credentials, in the folder bus within the data folder. With --bus.url it joins
an existing bus: several managers may run, one leads, and another takes over when the
leader is gone.`,
		Example: `  gatepass worlds
  gatepass worlds --bus.listen 0.0.0.0:4222        # after: gatepass bus init --host bus.example.org
  gatepass worlds --node b --bus.url tls://bus.example.org:4222 --admin 127.0.0.1:9735`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), map[string]any{"node": "a", "admin": "127.0.0.1:9725"})
			if err != nil {
				return err
			}
			return run(cmd, c, roles.Worlds)
		},
	}
	config.CommonFlags(cmd.Flags())
	config.BusListenFlag(cmd.Flags())
	cmd.Flags().String("node", "a", "`NAME` of this manager in its region")
	cmd.Flags().Lookup("admin").DefValue = "127.0.0.1:9725"
	return cmd
}
