package roles

import (
	"context"

	"gatepass/cmd/gatepass/internal/edge"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/worlds"
)

// Login starts the role of a login server.
func Login(ctx context.Context, p *process.Process) error {
	conn, err := p.ConnectBus(ctx, worlds.LoginNode(p.Config.Node), nil)
	if err != nil {
		return err
	}
	if worlds.EveryAddress(p.Config.Advertise) {
		p.Log.Warn("DNS names this server to nobody: set advertise to the IP:PORT at which clients reach it", "grunt", p.Config.Grunt)
	}
	_, err = edge.Start(p, conn, edge.Options{WaitForKeys: true})
	return err
}
