package serve

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/cmd/gatepass/internal/process/roles"
	"gatepass/worlds"
)

// Dev returns the command that runs a whole region on this machine.
func Dev() *cobra.Command {
	var demoWorlds int
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything, with a demo account and two demo worlds",
		Long: `Run a whole region with nothing to install: login server, world manager and bus
in this process, and two demo worlds, each a 'gatepass gateway' of its own, so that
one can be killed and started again. The accounts are kept in --data. The first start
makes a demo account there; once deleted, it is not made again.

Point a client of build 5875 (1.12.1), 8606 (2.4.3) or 12340 (3.3.5a) at it:
    set realmlist 127.0.0.1          (realmlist.wtf)
Or use the native client, which both demo worlds accept:
    gatepass client --account DEMO
The first demo world accepts builds of 1.12, the second those of 3.3.5a; with
--demo-worlds 3 there is one for 2.4.3.

It prints a line that begins with "ready" once it serves. SIGTERM or Ctrl-C
drains and ends it and its demo worlds; a second one ends it at once. End a demo
world that you started again yourself: else it goes on, and a later 'gatepass dev'
refuses its own world of that number meanwhile.

A second 'gatepass dev' on the machine needs --data, --grunt and --admin of its own.
It takes free ports for its bus (give it to 'gatepass admin' with --bus.url) and for
native clients (its "ready" line names it).`,
		Example: `  gatepass dev
  gatepass dev --data /var/lib/gatepass --grunt 0.0.0.0:3724
  gatepass dev --config gatepass.toml --log.level debug
  gatepass admin worlds                              # what the region looks like`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), map[string]any{"node": "dev", "region.lease": devLease})
			if err != nil {
				return err
			}
			if demoWorlds < 0 || demoWorlds > worlds.MaxWorlds {
				return exit.Usage(fmt.Errorf("demo-worlds: %d is not in 0 to %d", demoWorlds, worlds.MaxWorlds))
			}
			return run(cmd, c, func(ctx context.Context, p *process.Process) error {
				return roles.Dev(ctx, p, demoWorlds)
			})
		},
	}
	config.CommonFlags(cmd.Flags())
	config.EdgeFlags(cmd.Flags())
	config.BusListenFlag(cmd.Flags())
	cmd.Flags().String("advertise", "", "`IP:PORT` of this machine as clients see it, such as a router's; empty takes --grunt, or this machine's own address if --grunt is every address")
	cmd.Flags().IntVar(&demoWorlds, "demo-worlds", 2, "how many demo worlds to run")
	return cmd
}

// devLease is how long the only manager waits for its own old lease when it restarts
// after a crash.
const devLease = time.Second
