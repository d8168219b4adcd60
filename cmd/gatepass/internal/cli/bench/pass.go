package bench

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/perf/load"
	"gatepass/perf/load/players"
	"gatepass/perf/load/testbed"
)

func newPass() *cobra.Command {
	var b scenario
	var o load.PassOptions
	duration := 10 * time.Second
	c := &cobra.Command{
		Use:   "pass",
		Short: "Measure moves of session keys from the login server to a world's gate",
		Long: `pass starts a server and, as a process of its own, a gate. It logs clients in. Then
the clients connect to the gate, at a rate that does not wait for answers: connect,
challenge, and the proof that the client has the session key. The gate asks the
directory who holds the key and claims it from the login server, which checks the
proof. The gate admits the client once it alone holds the key.

"proof" is the time from the client's proof until it is admitted, with all of that in
it; "whole" counts from when the client was due. With --return the clients then leave
the gate and reconnect to the login server, which claims the key back.

Each client moves once, so there are as many logins first as there are moves. The
server's CPU time is that of login server, bus and manager, which share a process.`,
		Example: `  gatepass bench pass
  gatepass bench pass --rate 500 --duration 20s --return
  gatepass bench pass --build 12340 --json`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return b.pass(c, o, duration) },
	}
	b.ownFlags(c.Flags())
	playerFlags(c.Flags(), &o.Hold.Clients)
	c.Flags().Float64Var(&o.Hold.Rate, "login-rate", 3000, "logins a second before the first move")
	c.Flags().Float64Var(&o.Rate, "rate", 1000, "moves that begin a second, whatever the gate does")
	c.Flags().DurationVar(&duration, "duration", duration, "how long moves begin")
	c.Flags().StringVar((*string)(&o.Arrivals), "arrivals", string(load.ArrivalsPoisson), "the gaps between moves: poisson or even")
	c.Flags().BoolVar(&o.Back, "return", false, "let the clients come back to the login server")
	c.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of arrivals; equal seeds make equal load")
	return c
}

// pass runs 'bench pass'.
func (b *scenario) pass(c *cobra.Command, o load.PassOptions, duration time.Duration) (err error) {
	moves := o.Rate * duration.Seconds()
	if !(moves >= 1 && moves <= players.MaxAccounts) {
		return exit.Usage(fmt.Errorf("--rate %g for --duration %v: want 1 to %d moves", o.Rate, duration, players.MaxAccounts))
	}
	o.Hold.Connections = int(moves)
	if o.Hold.Accounts, err = b.ownPlayers(o.Hold.Connections); err != nil {
		return err
	}
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return exit.Usage(err)
	}
	stand, server, err := b.stand(c.Context(), &o.Hold.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stand.Close()) }()
	o.Gate, err = stand.StartGate(c.Context(), testbed.GateOptions{
		World: worldID, Capacity: 2 * o.Hold.Connections, Build: o.Hold.Build,
	})
	if err != nil {
		return err
	}
	run, err := load.RunPass(c.Context(), server, o, b.progress(c))
	if err != nil {
		return err
	}
	return b.print(c, run.Report(&o))
}
