package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatepass/codec/world"
	"gatepass/storage"
	"gatepass/worlds"
	"gatepass/worlds/gate"
)

func gatewayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Run a world's gate",
		Long: `Run a world's gate: it registers its world, takes the keys of players who come
from a login server, lets them wait when the world is full, and admits them. This
one leads to an empty character screen; a game embeds the same gate as the Go
package worlds/gate and goes on from there.

It needs credentials of its own on the region's bus:
    gatepass bus add-world ID`,
		Example: `  gatepass gateway --gateway.id 1 --gateway.name "First" --gateway.listen 0.0.0.0:8085 --gateway.address 198.51.100.9:8085
  gatepass gateway --config world-1.toml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags(), map[string]any{"admin": "127.0.0.1:9726"})
			if err != nil {
				return err
			}
			return runProcess(cmd, c, startGatewayProcess)
		},
	}
	f := cmd.Flags()
	commonFlags(f)
	f.Uint8("gateway.id", 0, "the world's `ID`, 1 to 255")
	f.String("gateway.name", "", "the world's `NAME`, as players see it")
	f.String("gateway.listen", "127.0.0.1:8085", "`HOST:PORT` where its clients connect")
	f.String("gateway.address", "", "`HOST:PORT` that clients are told; empty takes gateway.listen")
	f.String("gateway.native-listen", "", "`HOST:PORT` where its native clients connect; empty for nowhere")
	f.String("gateway.native-address", "", "`HOST:PORT` that native clients are told; empty takes gateway.native-listen")
	f.String("gateway.kind", "normal", "pve, pvp, normal, rp or rp-pvp")
	f.String("gateway.builds", "5875,6005,6141", "client `BUILDS` it takes, all of one era: 1.12, 2.x or 3.3.5")
	f.Int("gateway.capacity", 1000, "players at once; the next ones wait")
	f.Int("reactors", 0, "event loops; 0 takes what fits the machine")
	f.Int("max-conns", 0, "connections at once; 0 takes what the limit of open files leaves")
	f.Lookup("admin").DefValue = "127.0.0.1:9726"
	return cmd
}

// startGatewayProcess is the story of a gate alone in its process.
func startGatewayProcess(ctx context.Context, p *process) error {
	registration, err := p.config.registration()
	if err != nil {
		return usageError{err}
	}
	conn, err := connectBus(ctx, p, worlds.WorldNode(registration.ID), nil)
	if err != nil {
		return err
	}
	g := &p.config.Gateway
	rule, err := parseSecondLogin(g.SecondLogin)
	if err != nil {
		return usageError{fmt.Errorf("gateway.second-login: %w", err)}
	}
	class, err := g.classes()
	if err != nil {
		return usageError{err}
	}
	opened, err := gate.Open(ctx, gate.Options{
		World: registration, Addr: g.Listen, NativeAddr: g.NativeListen, Bus: conn, Reactors: p.config.Reactors, MaxConns: p.config.MaxConns,
		Class: class, MaxQueue: g.QueueLimit, QueueGrace: notAtAll(g.QueueGrace), SecondLogin: rule,
		ReconnectGrace: notAtAll(p.config.Sessions.ReconnectGrace), Logger: p.log.With("part", "gate"),
	})
	if err != nil {
		return err
	}
	drain := func(ctx context.Context) {
		if err := opened.Drain(ctx); err != nil {
			p.log.Info("players were still in when the drain limit was over", "error", err)
		}
	}
	accepts := func() error { return acceptFault(opened.Stats().Server) }
	ready := func() error {
		if !opened.Registered() {
			return errors.New("the world is not registered; see the log")
		}
		return errors.Join(accepts(), leaderFault(conn))
	}
	degraded := func() error { return errors.Join(accepts(), leaderFault(conn)) }
	p.add(part{name: "gate", failed: opened.Failed(), ready: ready, degraded: degraded, drain: drain, close: opened.Close, metrics: gateCollector{opened}})
	warnNames(p, []worlds.World{registration.World}, remoteClients(g.Listen))
	p.say("world", registration.ID, "gate", opened.Addr())
	if g.NativeListen != "" {
		p.say("native-gate", opened.NativeAddr())
	}
	return nil
}

// registration is what the gateway's world says of itself.
func (c *config) registration() (worlds.Registration, error) {
	g := &c.Gateway
	w, err := g.world()
	if err != nil {
		return worlds.Registration{}, fmt.Errorf("gateway: %w", err)
	}
	w.Native, w.NativeBuilds = g.NativeAddress, g.NativeBuilds
	r := worlds.Registration{World: w, Region: g.Region, Incarnation: randomID(), Capacity: uint32(max(0, g.Capacity))}
	var faults []error
	for _, route := range g.Routes {
		network, err := netip.ParsePrefix(route.Network)
		if err != nil {
			faults = append(faults, fmt.Errorf("routes: %q is no network such as 10.0.0.0/8", route.Network))
			continue
		}
		r.Routes = append(r.Routes, worlds.Route{Network: network, Address: route.Address, Native: route.Native})
	}
	if _, err := world.New(world.Options{Builds: r.Builds}); err != nil {
		faults = append(faults, fmt.Errorf("builds: %w", err))
	}
	checked := r
	for _, at := range []struct{ told, listen, key string }{
		{checked.Address, g.Listen, "address"}, {checked.Native, g.NativeListen, "native-address"},
	} {
		if at.told == "" && at.listen != "" && worlds.EveryAddress(at.listen) { // it is told where the gate listens
			faults = append(faults, fmt.Errorf("%s: clients cannot reach %s; set gateway.%s to what they can", at.key, at.listen, at.key))
		}
	}
	if checked.Native != "" && g.NativeListen == "" {
		faults = append(faults, errors.New("native-address: nobody listens there; set gateway.native-listen"))
	}
	checked.Address, checked.Native = orListen(checked.Address, g.Listen), orListen(checked.Native, g.NativeListen)
	if faults = append(faults, checked.Validate()); errors.Join(faults...) != nil {
		return r, fmt.Errorf("gateway: %w", errors.Join(faults...))
	}
	return r, nil
}

// orListen is what clients are told, or where the gate listens, which may be a port
// that is to be found.
func orListen(told, listen string) string {
	if told != "" {
		return told
	}
	if strings.HasSuffix(listen, ":0") {
		return listen + "1"
	}
	return listen
}

// notAtAll is how a gate is told that a span of 0 is meant.
func notAtAll(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// classes puts the accounts with priority into a line of their own.
func (g *gatewayConfig) classes() (func(account string) gate.Class, error) {
	ahead := make(map[string]bool, len(g.Priority))
	for _, raw := range g.Priority {
		name, err := storage.FoldName(raw)
		if err != nil {
			return nil, fmt.Errorf("gateway.priority: %q: %w", raw, err)
		}
		ahead[name.String()] = true
	}
	return func(account string) gate.Class {
		if ahead[account] {
			return 1
		}
		return 0
	}, nil
}
