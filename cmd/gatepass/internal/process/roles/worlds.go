package roles

import (
	"context"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/worlds"
	"gatepass/worlds/bus/busserver"
)

// Worlds starts the role of a world manager. It serves the bus too if the configuration
// names no other.
func Worlds(ctx context.Context, p *process.Process) (err error) {
	self := managerNode(p.Config)
	var server *busserver.Server
	if p.Config.Bus.URL == "" {
		if server, err = serveBus(p, false, self, AdminNode); err != nil {
			return err
		}
	}
	conn, err := p.ConnectBus(ctx, self, server)
	if err != nil {
		return err
	}
	return startManager(p, conn)
}

// managerNode returns the name of this process's world manager on the bus.
func managerNode(c *config.Config) worlds.Node { return worlds.Node(worlds.KindManager + "." + c.Node) }

// AdminNode is the name of `gatepass admin` on the bus.
const AdminNode = worlds.Node(worlds.KindAdmin + ".operator")
