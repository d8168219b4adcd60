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
	"gatepass/perf/load/floor"
)

// patchFlags are the flags of 'bench patch'.
type patchFlags struct {
	scenario
	parts     []string
	build     uint16
	fileMiB   uint64
	limit     float64 // MiB/s
	sources   int
	timeout   time.Duration
	clients   int
	checkers  int
	sendFor   time.Duration
	sendTimes int
	transfers int
	hold      time.Duration
	rate      float64
	logFor    time.Duration
	logTimes  int
}

// The values of --part.
const (
	partThroughput = "throughput"
	partHold       = "hold"
	partLatency    = "latency"
)

func newPatch() *cobra.Command {
	var b patchFlags
	c := &cobra.Command{
		Use:   "patch",
		Short: "Measure updates of clients that are too old",
		Long: `patch makes a file, adds it to the catalogue of a server as the patch from the build
before --build, and simulates clients of that old build: they sign in, are offered the
file, and download it. It measures three things, each on a server started for it:

throughput  64 clients take the file as fast as they can, again and again, without a
            limit. "GB/s of one core" is computed from the server's CPU time. It is
            measured in turns with the floor: a bare loop that reads the same file and
            writes it to as many sockets, in frames of the grunt protocol, without
            limit or encryption. Some clients (--checkers) compare every byte with the
            file; the others let the kernel discard it, and check a frame's header now
            and then. "whole files" counts the files that were complete within the turns.
hold        10,000 clients are offered the file, accept it, take one frame and then
            nothing. "RSS B/transfer" is the server's memory at that time less its
            memory when all of them had the offer and had not accepted. The kernel's
            memory for sockets is shown too: it includes the clients' half and is that
            of the whole machine ("-" when others close theirs meanwhile).
latency     full logins of clients that are up to date, 1,000 a second whatever the
            server does, in turns without updates and with 64 clients that download
            the file meanwhile, on a server that may send 100 MiB/s. The report says
            how much was sent, to show that the limit was reached.

Times differ from round to round on a machine with other load: the report shows the
rounds and their median. A run takes about a minute and a half; Ctrl-C ends it and
reports what was measured until then. Client and server each need a file descriptor per
connection: see 'ulimit -n'.`,
		Example: `  gatepass bench patch
  gatepass bench patch --part throughput --clients 8 --duration 10s
  gatepass bench patch --part hold --transfers 5000
  gatepass bench patch --part latency --limit 200 --rate 2000
  gatepass bench patch --protocol native --json`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return b.run(c) },
	}
	b.flags(c.Flags())
	c.AddCommand(newPatchFloor())
	return c
}

func (b *patchFlags) flags(f *pflag.FlagSet) {
	b.ownFlags(f)
	b.protocolFlag(f)
	f.StringSliceVar(&b.parts, "part", []string{partThroughput, partHold, partLatency}, "what to measure")
	f.Uint16Var(&b.build, "build", uint16(grunt.Build1121), "client build that the patch leads to, from the one before")
	f.Uint64Var(&b.fileMiB, "file-size", 256, "MiB of the patch that is made, in the folder for temporary files")
	f.IntVar(&b.sources, "sources", 16, "loopback addresses to connect from, each with its own ports")
	f.DurationVar(&b.timeout, "timeout", 10*time.Second, "longest time without data")
	f.IntVar(&b.clients, "clients", 64, "throughput and latency: clients that take the file at once")
	f.IntVar(&b.checkers, "checkers", 2, "throughput: how many of them compare every byte")
	f.DurationVar(&b.sendFor, "duration", 4*time.Second, "throughput: length of a turn")
	f.IntVar(&b.sendTimes, "rounds", 2, "throughput: turns that server and floor get each")
	f.BoolVar(&b.noFloor, "no-floor", false, "throughput: do not measure the floor")
	f.IntVar(&b.transfers, "transfers", 10_000, "hold: transfers whose clients read nothing")
	f.DurationVar(&b.hold, "hold", 5*time.Second, "hold: how long to hold them")
	f.Float64Var(&b.limit, "limit", 100, "latency: MiB/s that the server may send")
	f.Float64Var(&b.rate, "rate", 1000, "latency: logins that begin a second")
	f.DurationVar(&b.logFor, "login-duration", 3*time.Second, "latency: length of a turn")
	f.IntVar(&b.logTimes, "login-rounds", 5, "latency: turns without and with updates")
}

func newPatchFloor() *cobra.Command {
	var listen, file string
	c := &cobra.Command{
		Use:   "floor",
		Short: "Send a file from one bare loop: the least cost of a byte of a patch",
		Long: `floor offers the file to whoever signs in by the grunt protocol and sends it to
whoever accepts, from one epoll loop without arithmetic, accounts or limits. 'bench
patch' compares servers with it. Do not run it on a network that others can reach.

It prints a line that begins with "ready" and says where it listens.`,
		Example: `  gatepass bench patch floor --file some.bin --listen 127.0.0.1:3799`,
		Args:    terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			addr, err := netip.ParseAddrPort(listen)
			if err != nil {
				return exit.Usage(fmt.Errorf("--listen: %w", err))
			}
			return servePatchFloor(c.Context(), c.OutOrStdout(), addr, file)
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "HOST:PORT, the host as an IP address; port 0 takes a free one")
	c.Flags().StringVar(&file, "file", "", "file to send")
	_ = c.MarkFlagRequired("file") // the flag exists
	return c
}

func servePatchFloor(ctx context.Context, out io.Writer, addr netip.AddrPort, file string) error {
	listening, err := floor.ListenPatch(addr, file)
	if err != nil {
		return err
	}
	// As for the other floor: it allocates no memory, so no collection runs.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	fmt.Fprintln(out, "ready", listening.Addr())
	return listening.Serve(ctx)
}
