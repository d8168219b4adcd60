package bench

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/cmd/gatepass/internal/process"
	"gatepass/perf/load"
	"gatepass/perf/load/players"
	"gatepass/perf/load/testbed"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	buscreds "gatepass/worlds/bus/credentials"
)

// worldID is the world that 'bench worlds' and 'bench pass' add to those of the
// server's list.
const worldID = 200

// worldName does not occur in the name of any other world.
const worldName = "Bench"

func newWorlds() *cobra.Command {
	var b scenario
	var o load.WorldsOptions
	c := &cobra.Command{
		Use:   "worlds",
		Short: "Measure how soon connected players are sent a change of a world",
		Long: `worlds logs connections in and leaves them at the list of worlds. Then a world of
its own registers with the manager over the bus, leaves, and registers again. For
each change it measures the time from just before the world sends it until each
connection has the whole new list: through the bus, the manager, which stores it,
the bus again, the login server, and as many sockets.

Clients of the grunt protocol are sent the whole list, for which the server is started
with sessions.push-worlds on; native clients are sent the change, encrypted for each.
Client and server each need a file descriptor per connection: see 'ulimit -n'.`,
		Example: `  gatepass bench worlds
  gatepass bench worlds --connections 5000 --changes 20 --json
  gatepass bench worlds --build 12340
  gatepass bench worlds --protocol native`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return b.worlds(c, o) },
	}
	b.ownFlags(c.Flags())
	b.protocolFlag(c.Flags())
	playerFlags(c.Flags(), &o.Hold.Clients)
	c.Flags().IntVar(&o.Hold.Connections, "connections", 15_000, "connections at the list")
	c.Flags().Float64Var(&o.Hold.Rate, "login-rate", 3000, "logins a second while their number grows")
	c.Flags().IntVar(&o.Changes, "changes", 10, "number of changes of the world")
	c.Flags().DurationVar(&o.Pause, "pause", 500*time.Millisecond, "pause between two changes")
	return c
}

// worlds runs 'bench worlds'.
func (b *scenario) worlds(c *cobra.Command, o load.WorldsOptions) (err error) {
	if o.Hold.Accounts, err = b.ownPlayers(o.Hold.Connections); err != nil {
		return err
	}
	if o.Hold.Native, err = b.native(o.Hold.Accounts); err != nil {
		return err
	}
	w := &world{}
	o.World, o.Set = worldName, w.set
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return exit.Usage(err)
	}
	stand, server, err := b.stand(c.Context(), &o.Hold.Clients, "GATEPASS_SESSIONS__PUSH_WORLDS=true")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stand.Close()) }()
	if err := w.connect(c.Context(), stand); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.conn.Close()) }()
	run, err := load.RunWorlds(c.Context(), server, o, b.progress(c))
	if err != nil {
		return err
	}
	return b.print(c, run.Report(&o))
}

// world is a world without a gate that can go online and offline.
type world struct {
	conn      *bus.Conn
	registrar *bus.Registrar
}

// connect connects the world as a node to the testbed's bus.
func (w *world) connect(ctx context.Context, stand *testbed.Testbed) error {
	authority, err := buscreds.OpenAuthority(stand.BusDir())
	if err != nil {
		return err
	}
	creds := filepath.Join(stand.BusDir(), "bench.creds")
	if err := authority.AddNode(worlds.WorldNode(worldID), creds); err != nil {
		return err
	}
	w.conn, err = bus.Connect(ctx, bus.Options{URL: stand.BusURL(), Creds: creds, Demand: true})
	return err
}

// set takes the world online or offline.
func (w *world) set(_ context.Context, online bool) (err error) {
	if !online {
		return w.registrar.Close()
	}
	// A new incarnation each time, as after a crash.
	registration := worlds.Registration{
		World:       worlds.World{ID: worldID, Name: worldName, Address: "127.0.0.1:8085", Native: "127.0.0.1:8087", Kind: worlds.KindPlain, Category: 1},
		Incarnation: process.NewIncarnation(), Capacity: 1000,
	}
	w.registrar, err = w.conn.Register(bus.RegisterOptions{
		World: func() worlds.Registration { return registration },
		Beat:  func() worlds.Beat { return worlds.Beat{Incarnation: registration.Incarnation} },
	})
	return err
}

// ownPlayers returns accounts for the testbed's server: one for each connection,
// because a second login of an account ends the first.
func (b *scenario) ownPlayers(connections int) ([]players.Account, error) {
	b.accounts = max(1, min(connections, players.MaxAccounts))
	return b.players()
}
