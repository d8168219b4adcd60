package roles

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/worlds"
	"gatepass/worlds/gate"
)

// Gateway starts the role of a world's gate.
func Gateway(ctx context.Context, p *process.Process) error {
	registration, err := p.Config.Registration(process.NewIncarnation())
	if err != nil {
		return exit.Usage(err)
	}
	conn, err := p.ConnectBus(ctx, worlds.WorldNode(registration.ID), nil)
	if err != nil {
		return err
	}
	g := &p.Config.Gateway
	rule, err := config.ParseSecondLogin(g.SecondLogin)
	if err != nil {
		return exit.Usage(fmt.Errorf("gateway.second-login: %w", err))
	}
	class, err := g.Classes()
	if err != nil {
		return exit.Usage(err)
	}
	opened, err := gate.Open(ctx, gate.Options{
		World: registration, Addr: g.Listen, NativeAddr: g.NativeListen, Bus: conn, Reactors: p.Config.Reactors, MaxConns: p.Config.MaxConns,
		Class: class, MaxQueue: g.QueueLimit, QueueGrace: notAtAll(g.QueueGrace), SecondLogin: rule,
		ReconnectGrace: notAtAll(p.Config.Sessions.ReconnectGrace), Logger: p.Log.With("part", "gate"),
	})
	if err != nil {
		return err
	}
	drain := func(ctx context.Context) {
		if err := opened.Drain(ctx); err != nil {
			p.Log.Info("players were still in when the drain limit was over", "error", err)
		}
	}
	accepts := func() error { return process.AcceptFault(opened.Stats().Server) }
	ready := func() error {
		if !opened.Registered() {
			return errors.New("the world is not registered; see the log")
		}
		return errors.Join(accepts(), process.LeaderFault(conn))
	}
	degraded := func() error { return errors.Join(accepts(), process.LeaderFault(conn)) }
	p.Add(process.Part{Name: "gate", Failed: opened.Failed(), Ready: ready, Degraded: degraded, Drain: drain, Close: opened.Close, Metrics: gateCollector{opened}})
	p.WarnNames([]worlds.World{registration.World}, process.RemoteClients(g.Listen))
	p.Say("world", registration.ID, "gate", opened.Addr())
	if g.NativeListen != "" {
		p.Say("native-gate", opened.NativeAddr())
	}
	return nil
}

// notAtAll returns the span as a gate takes it, where 0 stands for the default and -1 for
// a span of 0.
func notAtAll(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}
