package serve

import (
	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process/roles"
)

// Gateway returns the command that runs a world's gate.
func Gateway() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Run a world's gate",
		Long: `Run a world's gate: it registers its world, claims the keys of players who come
from a login server, queues them when the world is full, and admits them. This
gate leads to an empty character screen; a game embeds the same gate as the Go
package worlds/gate and continues from there.

It needs credentials of its own on the region's bus:
    gatepass bus add-world ID`,
		Example: `  gatepass gateway --gateway.id 1 --gateway.name "First" --gateway.listen 0.0.0.0:8085 --gateway.address 198.51.100.9:8085
  gatepass gateway --config world-1.toml`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), map[string]any{"admin": "127.0.0.1:9726"})
			if err != nil {
				return err
			}
			return run(cmd, c, roles.Gateway)
		},
	}
	f := cmd.Flags()
	config.CommonFlags(f)
	f.Uint8("gateway.id", 0, "the world's `ID`, 1 to 255")
	f.String("gateway.name", "", "the world's `NAME`, as players see it")
	f.String("gateway.listen", "127.0.0.1:8085", "`HOST:PORT` for the world's clients")
	f.String("gateway.address", "", "`HOST:PORT` that is sent to clients; empty takes gateway.listen")
	f.String("gateway.native-listen", "", "`HOST:PORT` for the world's native clients; empty for none")
	f.String("gateway.native-address", "", "`HOST:PORT` that is sent to native clients; empty takes gateway.native-listen")
	f.String("gateway.kind", "normal", "pve, pvp, normal, rp or rp-pvp")
	f.String("gateway.builds", "5875,6005,6141", "client `BUILDS` that the world accepts, all of one era: 1.12, 2.x or 3.3.5")
	f.Int("gateway.capacity", 1000, "players at once; further ones wait in a queue")
	f.Int("reactors", 0, "event loops; 0 chooses by the machine")
	f.Int("max-conns", 0, "connections at once; 0 takes what the limit of open files leaves")
	f.Lookup("admin").DefValue = "127.0.0.1:9726"
	return cmd
}
