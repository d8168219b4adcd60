package bench

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/codec/grunt"
	"gatepass/perf/load"
	"gatepass/perf/load/floor"
	"gatepass/perf/load/players"
)

// Command returns the command bench with its subcommands.
func Command() *cobra.Command {
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure a login server under load",
		Long: `bench simulates many clients at once and measures what their logins cost a server:
CPU time per login, logins a second, times by part of the login, and memory.

Without --target it is self-contained: it makes a store with accounts in a
temporary folder, starts a server on it and the floor beside it (a bare loop
that answers canned bytes, so the least any server can do), measures both in
turns, and removes everything again. The number to look at is the server's
CPU time divided by the floor's: it changes little from machine to machine.

--protocol native simulates clients of gatepass's own protocol instead of grunt.

With --target it measures any server of the grunt protocol, this one or
another, that has the accounts of --accounts-file.

'bench worlds' and 'bench pass' measure a region: how soon all players are sent a
change of a world, and the cost of moving a session key to a gate. 'bench patch'
measures the updates of clients that are too old.`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLogin(), newHold(), newWorlds(), newPass(),
		newPatch(), newFloor(), newAccounts())
	return c
}

func newLogin() *cobra.Command {
	var b scenario
	var o load.LoginOptions
	var rounds int
	c := &cobra.Command{
		Use:   "login",
		Short: "Measure full logins: connect, challenge, proof, list of worlds, close",
		Long: `login sends full logins to a server: connect, challenge, proof, list of worlds, close.

Logins of the grunt protocol are compared with the floor. Native logins by password are
compared with the server's big-number arithmetic for one login alone, measured in turns
in the same run: the number to look at is the server's CPU time divided by that. With
--token each account first gets the token of a remembered device; then all sign in by
token, which needs no big numbers.`,
		Example: `  # this build against the floor, 32 logins at once
  gatepass bench login

  # an open loop: 1,000 logins a second begin, whatever the server does; times
  # count from when a login was due
  gatepass bench login --rate 1000 --duration 20s

  # does the server tell strangers which accounts exist? compare the proof's times
  gatepass bench login --wrong-password 30 --unknown 30

  # the native protocol: by password, against its big numbers alone, and by the token
  # of a remembered device, which each account is given first
  gatepass bench login --protocol native
  gatepass bench login --protocol native --token --rate 1000

  # another server, with its database's process
  gatepass bench accounts --accounts 10000 >accounts.csv
  gatepass bench login --target 127.0.0.1:3724 --server-pid 4711,4712 --accounts-file accounts.csv`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return b.login(c, o, rounds) },
	}
	b.flags(c.Flags())
	playerFlags(c.Flags(), &o.Clients)
	loginFlags(c.Flags(), &o)
	c.Flags().IntVar(&rounds, "rounds", 2, "turns of server and floor each")
	c.Flags().BoolVar(&b.token, "token", false, "with --protocol native, sign in by the token of a remembered device")
	c.Flags().BoolVar(&b.noFloor, "no-floor", false, "do not measure the floor")
	return c
}

func loginFlags(f *pflag.FlagSet, o *load.LoginOptions) {
	f.IntVar(&o.Concurrency, "concurrency", 0, "logins at once (default 32, and at most 4096 with --rate)")
	f.Float64Var(&o.Rate, "rate", 0, "begin so many logins a second, whatever the server does (0: as many as possible)")
	f.StringVar((*string)(&o.Arrivals), "arrivals", string(load.ArrivalsPoisson), "with --rate, the gaps between logins: poisson or even")
	f.DurationVar(&o.Warmup, "warmup", 2*time.Second, "run for so long before the measurement begins")
	f.DurationVar(&o.Duration, "duration", 0, "measure for so long, each turn (default 10s, unless --count is given)")
	f.IntVar(&o.Count, "count", 0, "measure so many logins, each turn (0: no limit)")
	f.IntVar(&o.WrongPercent, "wrong-password", 0, "percent of logins with a wrong password")
	f.IntVar(&o.UnknownPercent, "unknown", 0, "percent of logins to accounts that do not exist")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of arrivals and mix; equal seeds make equal load")
}

func newHold() *cobra.Command {
	var b scenario
	var o load.HoldOptions
	c := &cobra.Command{
		Use:   "hold",
		Short: "Measure the memory of connections that log in and stay",
		Long: `hold logs connections in, keeps them all open, and reads the server's resident
memory before and after: the difference, divided by connections, is the cost of
a waiting player.

Client and server each need a file descriptor per connection: see 'ulimit -n'.`,
		Example: `  gatepass bench hold
  gatepass bench hold --connections 5000 --hold 1m --list-every 10s
  gatepass bench hold --protocol native
  gatepass bench hold --target 127.0.0.1:3724 --server-pid 4711 --accounts-file accounts.csv`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return b.hold(c, o) },
	}
	b.flags(c.Flags())
	playerFlags(c.Flags(), &o.Clients)
	c.Flags().IntVar(&o.Connections, "connections", 15_000, "connections to hold")
	c.Flags().Float64Var(&o.Rate, "rate", 3000, "logins a second while their number grows")
	c.Flags().IntVar(&o.Warmup, "warmup", 0, "logins before memory is read (0: 500, and one for each connection with --protocol native)")
	c.Flags().DurationVar(&o.Settle, "settle", 2*time.Second, "pause before memory is read")
	c.Flags().DurationVar(&o.Hold, "hold", 10*time.Second, "how long to hold")
	c.Flags().DurationVar(&o.ListEvery, "list-every", 0, "let each connection ask for the realm list that often (0: never), or a native one send a ping (0: every 20s)")
	return c
}

func newFloor() *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use:   "floor",
		Short: "Serve canned bytes from one bare loop: the least cost of a login",
		Long: `floor answers the login exchange with canned bytes from one epoll loop, without
arithmetic, accounts or queues. 'bench login' compares servers with it. It lets
anybody in: do not run it on a network that others can reach.

It prints a line that begins with "ready" and says where it listens.`,
		Example: `  gatepass bench floor --listen 127.0.0.1:3799`,
		Args:    terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			addr, err := netip.ParseAddrPort(listen)
			if err != nil {
				return exit.Usage(fmt.Errorf("--listen: %w", err))
			}
			return serveFloor(c.Context(), addr, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "HOST:PORT, the host as an IP address; port 0 takes a free one")
	return c
}

func serveFloor(ctx context.Context, addr netip.AddrPort, out io.Writer) error {
	listening, err := floor.Listen(addr)
	if err != nil {
		return err
	}
	// The floor allocates no memory. Without this, the runtime would still collect
	// every two minutes, which a C loop would not do.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	fmt.Fprintln(out, "ready", listening.Addr())
	return listening.Serve(ctx)
}

func newAccounts() *cobra.Command {
	n := 10_000
	c := &cobra.Command{
		Use:   "accounts",
		Short: "Write the accounts that bench logs in, as CSV for 'account import'",
		Example: `  gatepass bench accounts --accounts 10000 >accounts.csv
  gatepass account import --data DIR --protocols grunt accounts.csv`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if n < 1 || n > players.MaxAccounts {
				return exit.Usage(fmt.Errorf("--accounts %d: want 1 to %d", n, players.MaxAccounts))
			}
			return players.WriteAccounts(c.OutOrStdout(), players.MakeAccounts(n))
		},
	}
	c.Flags().IntVar(&n, "accounts", n, "number of accounts")
	return c
}

// playerFlags defines the flags of all commands that run clients.
func playerFlags(f *pflag.FlagSet, o *load.Clients) {
	f.Uint16Var((*uint16)(&o.Build), "build", uint16(grunt.Build1121), "client build: 5875, 8606 or 12340")
	f.IntVar(&o.Threads, "threads", 1, "threads of the load client")
	f.IntVar(&o.Sources, "sources", 16, "loopback addresses to connect from, each with its own ports")
	f.DurationVar(&o.Timeout, "timeout", 10*time.Second, "longest a login may take")
}
