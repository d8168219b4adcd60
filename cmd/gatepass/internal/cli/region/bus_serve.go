package region

import (
	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/cmd/gatepass/internal/process/roles"
)

// busAdmin is the default address of the bus's admin listener, next to those of the
// other roles.
const busAdmin = "127.0.0.1:9728"

func (b *busCommands) serveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a bus alone, or one of a cluster",
		Long: `Runs a server of the bus and nothing else, so that managers and login servers can
be restarted without it. It needs the authority's folder, or a copy of it without
keys and nodes; connections off loopback are encrypted with the certificate there.

Three servers make a cluster that survives the loss of one: give each a
--bus.cluster-listen and name all three with --bus.routes. Each needs a copy of
the folder, and its own --data.

It prints a line that begins with "ready" once it accepts connections. SIGTERM or
Ctrl-C ends it; a second one ends it at once.`,
		Example: `  gatepass bus serve
  gatepass bus serve --dir /etc/gatepass/bus --data /var/lib/gatepass --bus.listen 0.0.0.0:4222
  gatepass bus serve --bus.listen 0.0.0.0:4222 --bus.cluster-listen 0.0.0.0:6222 \
      --bus.routes b1.example.org:6222,b2.example.org:6222,b3.example.org:6222`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			config, err := config.Load(c.Flags(), map[string]any{"admin": busAdmin})
			if err != nil {
				return err
			}
			if c.Flags().Changed("dir") {
				config.Bus.Dir = b.dir
			}
			return process.Run(c.Context(), process.Options{Config: config, Out: c.OutOrStdout(), ErrOut: c.ErrOrStderr()}, roles.Bus)
		},
	}
	f := c.Flags()
	f.String("config", "", "read a TOML configuration `FILE` (docs/configuration.md)")
	f.String("data", "data", "`folder` whose bus-store has JetStream's files, of this server alone")
	f.String("admin", busAdmin, "`HOST:PORT` of health, metrics and pprof; keep it on loopback")
	f.String("log.level", "info", "debug, info, warn or error")
	f.String("log.format", "text", "text or json")
	config.BusListenFlag(f)
	f.String("bus.cluster-listen", "", "`HOST:PORT` for the other servers of the cluster")
	f.StringSlice("bus.routes", nil, "`HOST:PORT` of all servers of the cluster, with commas between")
	return c
}
