package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/worlds"
)

func devCommand() *cobra.Command {
	var demoWorlds int
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything, with a demo account and two demo worlds",
		Long: `Run a whole region with nothing to install: login server, world manager and bus
in this process, and two demo worlds, each a 'gatepass gateway' of its own, so that
one can be killed and started again. The accounts are kept in --data, and a demo
account is made there at the first start; once deleted it stays so.

Point a client of build 5875 (1.12.1), 8606 (2.4.3) or 12340 (3.3.5a) at it:
    set realmlist 127.0.0.1          (realmlist.wtf)
Or look through the eyes of a native client, which both demo worlds take:
    gatepass client --account DEMO
The first demo world takes builds of 1.12, the second those of 3.3.5a; with
--demo-worlds 3 there is one of 2.4.3.

It prints a line that begins with "ready" once it serves. SIGTERM or Ctrl-C
drains and ends it, the demo worlds with it; a second one ends it at once. A demo
world that you started again yourself is yours to end: it would go on, and a later
'gatepass dev' would refuse its own world of that number for as long.

A second one beside it needs --data, --grunt and --admin of its own; it takes
free ports for its bus, which 'gatepass admin' is told with --bus.url, and for
native clients, which its line of "ready" names.`,
		Example: `  gatepass dev
  gatepass dev --data /var/lib/gatepass --grunt 0.0.0.0:3724
  gatepass dev --config gatepass.toml --log.level debug
  gatepass admin worlds                              # what the region looks like`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), map[string]any{"node": "dev", "region.lease": devLease})
			if err != nil {
				return err
			}
			if demoWorlds < 0 || demoWorlds > worlds.MaxWorlds {
				return exit.Usage(fmt.Errorf("demo-worlds: %d is not in 0 to %d", demoWorlds, worlds.MaxWorlds))
			}
			return runRole(cmd, c, func(ctx context.Context, p *process) error {
				return startDev(ctx, p, demoWorlds)
			})
		},
	}
	config.CommonFlags(cmd.Flags())
	config.EdgeFlags(cmd.Flags())
	config.BusListenFlag(cmd.Flags())
	cmd.Flags().String("advertise", "", "`IP:PORT` of this machine as clients see it, such as a router's; empty takes --grunt, or this machine's own address where that is all of them")
	cmd.Flags().IntVar(&demoWorlds, "demo-worlds", 2, "how many demo worlds to run")
	return cmd
}

// devLease is how long the only manager there is waits for its own old lease when
// it starts again after a crash.
const devLease = time.Second
