package main

import (
	"context"

	"gatepass/worlds"
)

// startLogin is the story of a login server alone in its process.
func startLogin(ctx context.Context, p *process) error {
	conn, err := p.connectBus(ctx, worlds.LoginNode(p.config.Node), nil)
	if err != nil {
		return err
	}
	if worlds.EveryAddress(p.config.Advertise) {
		p.log.Warn("DNS names this server to nobody: set advertise to the IP:PORT at which clients reach it", "grunt", p.config.Grunt)
	}
	_, err = startEdge(p, conn, edgeOptions{waitForKeys: true})
	return err
}
