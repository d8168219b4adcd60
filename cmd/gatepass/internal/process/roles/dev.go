package roles

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"gatepass/cmd/gatepass/internal/edge"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/worlds"
)

// Dev starts a whole region: bus, world manager, login server and demo worlds.
func Dev(ctx context.Context, p *process.Process, demoWorlds int) error {
	c := p.Config
	if err := c.CheckData(); err != nil {
		return err
	}
	if c.Bus.URL != "" {
		return exit.Usage(errors.New("bus.url: dev has a bus of its own; run the roles one by one to join another"))
	}
	c.Bus.Listen = freeOr(c.Bus.Listen)
	if c.Native != "" {
		c.Native = freeOr(c.Native)
	}
	nodes := []worlds.Node{worlds.LoginNode(c.Node), managerNode(c), AdminNode}
	for id := range demoWorlds {
		nodes = append(nodes, worlds.WorldNode(uint8(id+1)))
	}
	server, err := serveBus(p, true, nodes...)
	if err != nil {
		return err
	}
	manager, err := p.ConnectBus(ctx, managerNode(c), server)
	if err != nil {
		return err
	}
	if err := startManager(p, manager); err != nil {
		return err
	}
	login, err := p.ConnectBus(ctx, worlds.LoginNode(c.Node), server)
	if err != nil {
		return err
	}
	e, err := edge.Start(p, login, edge.Options{FilesForBus: process.FilesForBus()})
	if err != nil {
		return err
	}
	// A signal during the start is no failure: the account is made, then the process ends as
	// usual.
	account, err := addDemo(context.WithoutCancel(ctx), e.Accounts(), c.Data)
	if err != nil {
		return err
	}
	p.PrintText(fmt.Sprintf("accounts in %s; %s; clients: set realmlist %s", c.Data, account.text(), c.Reachable()),
		"demo account", append(account.named(), "accounts", c.StoreDir(), "realmlist", c.Reachable())...)
	if c.Native != "" {
		at := e.NativeAddr().String()
		if worlds.EveryAddress(c.Native) {
			at = net.JoinHostPort(c.Reachable(), strconv.Itoa(int(e.NativeAddr().Port())))
		}
		line := commandLine("gatepass", []string{"client", at, "--account", demoName})
		p.PrintText("to sign in natively: "+line, "to sign in natively", "line", line)
	}
	line := commandLine("gatepass", []string{"admin", "worlds", "--data", c.Data, "--bus.url", server.URL()})
	p.PrintText("to look at the region: "+line, "to look at the region", "line", line)
	return startDemoWorlds(ctx, p, server.URL(), demoWorlds)
}
