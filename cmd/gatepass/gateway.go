package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/worlds"
	"gatepass/worlds/gate"
)

// startGatewayProcess is the story of a gate alone in its process.
func startGatewayProcess(ctx context.Context, p *process) error {
	registration, err := p.config.Registration(newIncarnation())
	if err != nil {
		return exit.Usage(err)
	}
	conn, err := p.connectBus(ctx, worlds.WorldNode(registration.ID), nil)
	if err != nil {
		return err
	}
	g := &p.config.Gateway
	rule, err := config.ParseSecondLogin(g.SecondLogin)
	if err != nil {
		return exit.Usage(fmt.Errorf("gateway.second-login: %w", err))
	}
	class, err := g.Classes()
	if err != nil {
		return exit.Usage(err)
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
	p.warnNames([]worlds.World{registration.World}, remoteClients(g.Listen))
	p.say("world", registration.ID, "gate", opened.Addr())
	if g.NativeListen != "" {
		p.say("native-gate", opened.NativeAddr())
	}
	return nil
}

// notAtAll is how a gate is told that a span of 0 is meant.
func notAtAll(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}
