package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"

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
			c, err := loadConfig(cmd.Flags(), map[string]any{"node": "dev", "region.lease": devLease})
			if err != nil {
				return err
			}
			if demoWorlds < 0 || demoWorlds > worlds.MaxWorlds {
				return usageError{fmt.Errorf("demo-worlds: %d is not in 0 to %d", demoWorlds, worlds.MaxWorlds)}
			}
			return runProcess(cmd, c, func(ctx context.Context, p *process) error {
				return startDev(ctx, p, demoWorlds)
			})
		},
	}
	commonFlags(cmd.Flags())
	edgeFlags(cmd.Flags())
	busListenFlag(cmd.Flags())
	cmd.Flags().String("advertise", "", "`IP:PORT` of this machine as clients see it, such as a router's; empty takes --grunt, or this machine's own address where that is all of them")
	cmd.Flags().IntVar(&demoWorlds, "demo-worlds", 2, "how many demo worlds to run")
	return cmd
}

// startDev is the story of a whole region: bus, manager, login server, worlds.
func startDev(ctx context.Context, p *process, demoWorlds int) error {
	c := p.config
	if err := c.mustBeFolder(); err != nil {
		return err
	}
	if c.Bus.URL != "" {
		return usageError{errors.New("bus.url: dev has a bus of its own; run the roles one by one to join another")}
	}
	c.Bus.Listen = freeOr(c.Bus.Listen)
	c.servesBoth = true
	if c.Native != "" {
		c.Native = freeOr(c.Native)
	}
	nodes := []worlds.Node{worlds.LoginNode(c.Node), managerNode(c), adminNode}
	for id := range demoWorlds {
		nodes = append(nodes, worlds.WorldNode(uint8(id+1)))
	}
	server, err := serveBus(p, nodes...)
	if err != nil {
		return err
	}
	manager, err := connectBus(ctx, p, managerNode(c), server)
	if err != nil {
		return err
	}
	if err := startManager(p, manager); err != nil {
		return err
	}
	login, err := connectBus(ctx, p, worlds.LoginNode(c.Node), server)
	if err != nil {
		return err
	}
	e, err := startEdge(p, login)
	if err != nil {
		return err
	}
	// A stop that is asked for this early is no failure: it goes the usual way.
	account, err := e.addDemo(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	p.printText(fmt.Sprintf("accounts in %s; %s; clients: set realmlist %s", c.Data, account.text(), c.reachable()),
		"demo account", append(account.named(), "accounts", c.storeDir(), "realmlist", c.reachable())...)
	if c.Native != "" {
		at := e.server.AddrOf(1).String()
		if worlds.EveryAddress(c.Native) {
			at = net.JoinHostPort(c.reachable(), strconv.Itoa(int(e.server.AddrOf(1).Port())))
		}
		line := commandLine("gatepass", []string{"client", at, "--account", demoName})
		p.printText("to sign in natively: "+line, "to sign in natively", "line", line)
	}
	line := commandLine("gatepass", []string{"admin", "worlds", "--data", c.Data, "--bus.url", server.URL()})
	p.printText("to look at the region: "+line, "to look at the region", "line", line)
	return startDemoWorlds(ctx, p, server.URL(), demoWorlds)
}

// freeOr is the address, or one with a free port where somebody has that one
// already: two `gatepass dev` do not get into each other's way.
func freeOr(address string) string {
	l, err := net.Listen("tcp", address)
	if err == nil {
		_ = l.Close()
		return l.Addr().String()
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		return address // whoever listens in earnest says why it cannot
	}
	_ = l.Close()
	return l.Addr().String()
}
