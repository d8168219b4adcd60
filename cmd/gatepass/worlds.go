package main

import (
	"context"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/worlds"
	"gatepass/worlds/bus/busserver"
)

// startWorlds is the story of a manager alone in its process.
func startWorlds(ctx context.Context, p *process) (err error) {
	self := managerNode(p.config)
	var server *busserver.Server
	if p.config.Bus.URL == "" {
		if server, err = serveBus(p, false, self, adminNode); err != nil {
			return err
		}
	}
	conn, err := p.connectBus(ctx, self, server)
	if err != nil {
		return err
	}
	return startManager(p, conn)
}

func managerNode(c *config.Config) worlds.Node { return worlds.Node(worlds.KindManager + "." + c.Node) }

// adminNode is who `gatepass admin` is on the bus.
const adminNode = worlds.Node(worlds.KindAdmin + ".operator")
