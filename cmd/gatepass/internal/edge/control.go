package edge

import (
	"context"
	"crypto/rand"

	"gatepass/accounts"
	"gatepass/admin"
)

// startControl serves the account commands on the control socket.
func (e *Edge) startControl() error {
	e.manager = accounts.New(e.store, accounts.Options{Random: rand.Reader, OnChange: admin.Follow(sessions{e})})
	var err error
	if e.control, err = admin.Listen(admin.SocketPath(e.config.Data)); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	e.stopControl = cancel
	e.background.Go(func() {
		if err := e.control.Serve(ctx, admin.Services{Accounts: e.manager}, e.log.With("part", "control")); err != nil {
			e.log.Error("the control socket ended", "error", err)
		}
	})
	return nil
}
