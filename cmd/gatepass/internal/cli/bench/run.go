package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/perf/load"
	"gatepass/perf/load/players"
	benchprogress "gatepass/perf/load/progress"
	"gatepass/perf/load/testbed"
)

// scenario has the flags that all scenarios share: the server and the report.
type scenario struct {
	target   string
	pids     []int
	accounts int
	file     string
	noFloor  bool
	protocol string
	token    bool
	canned   bool
	json     bool
	quiet    bool
}

func (b *scenario) flags(f *pflag.FlagSet) {
	f.StringVar(&b.target, "target", "", "HOST:PORT of a running server, the host as an IP address (default: start one)")
	f.IntSliceVar(&b.pids, "server-pid", nil, "processes whose CPU and memory count as the server's, such as its database's")
	f.BoolVar(&b.canned, "canned", false, "--target is a floor: accept any proof")
	b.protocolFlag(f)
	f.StringVar(&b.file, "accounts-file", "", "CSV 'username,password' of accounts that --target has")
	f.IntVar(&b.accounts, "accounts", 10_000, "accounts to make for the server that is started (hold: one for each connection at least)")
	b.ownFlags(f)
}

func (b *scenario) protocolFlag(f *pflag.FlagSet) {
	f.StringVar(&b.protocol, "protocol", protocolGrunt, "protocol of the clients: grunt, or native (to a server that is started)")
}

// The values of --protocol.
const (
	protocolGrunt  = "grunt"
	protocolNative = "native"
)

// native returns native players for the accounts if the clients use the native
// protocol, otherwise nil.
func (b *scenario) native(accounts []players.Account) (*players.Native, error) {
	switch {
	case b.protocol == protocolGrunt && b.token:
		return nil, exit.Usage(errors.New("--token needs --protocol native"))
	case b.protocol == protocolGrunt:
		return nil, nil
	case b.protocol != protocolNative:
		return nil, exit.Usage(fmt.Errorf("--protocol %q: want %s or %s", b.protocol, protocolGrunt, protocolNative))
	case b.target != "" || b.file != "":
		return nil, exit.Usage(errors.New("--protocol native makes the accounts it plays: it takes no --target and no --accounts-file"))
	}
	return players.NewNative(accounts, b.token), nil
}

// ownFlags defines the flags of every scenario.
func (b *scenario) ownFlags(f *pflag.FlagSet) {
	terminal.JSONFlag(f, &b.json)
	f.BoolVar(&b.quiet, "quiet", false, "show no progress")
}

// progress returns a display, or nil, which shows nothing, with --quiet.
func (b *scenario) progress(c *cobra.Command) *benchprogress.Display {
	if b.quiet {
		return nil
	}
	return benchprogress.New(c.ErrOrStderr())
}

func (b *scenario) print(c *cobra.Command, r *load.Report) error {
	if b.json {
		return r.JSON(c.OutOrStdout())
	}
	return r.Text(c.OutOrStdout())
}

// players returns the accounts to use.
func (b *scenario) players() ([]players.Account, error) {
	if b.file == "" {
		if b.target != "" {
			return nil, exit.Usage(fmt.Errorf("--target needs --accounts-file, with accounts that it has"))
		}
		if b.accounts < 1 || b.accounts > players.MaxAccounts {
			return nil, exit.Usage(fmt.Errorf("--accounts %d: want 1 to %d", b.accounts, players.MaxAccounts))
		}
		return players.MakeAccounts(b.accounts), nil
	}
	f, err := os.Open(b.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return players.ReadAccounts(f)
}

// login runs 'bench login'.
func (b *scenario) login(c *cobra.Command, o load.LoginOptions, rounds int) (err error) {
	if rounds < 1 {
		return exit.Usage(fmt.Errorf("--rounds %d: want 1 or more", rounds))
	}
	if o.Accounts, err = b.players(); err != nil {
		return err
	}
	if o.Native, err = b.native(o.Accounts); err != nil {
		return err
	}
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return exit.Usage(err)
	}
	stand, server, err := b.stand(c.Context(), &o.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stand.Close()) }()
	r := load.Rounds{Server: server, Login: o, Times: rounds, Progress: b.progress(c)}
	if !b.noFloor && o.Native == nil { // the floor speaks the grunt protocol only
		floor, err := stand.StartFloor(c.Context())
		if err != nil {
			return err
		}
		r.Floor = &floor
	}
	report, err := r.Run(c.Context())
	if err != nil {
		return err
	}
	return b.print(c, report)
}

// hold runs 'bench hold'.
func (b *scenario) hold(c *cobra.Command, o load.HoldOptions) (err error) {
	// A second login ends the first of the same account.
	b.accounts = max(b.accounts, min(o.Connections, players.MaxAccounts))
	if o.Accounts, err = b.players(); err != nil {
		return err
	}
	if o.Native, err = b.native(o.Accounts); err != nil {
		return err
	}
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return exit.Usage(err)
	}
	if b.target != "" && len(b.pids) == 0 {
		return exit.Usage(errors.New("--target needs --server-pid, to read the memory of"))
	}
	stand, server, err := b.stand(c.Context(), &o.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stand.Close()) }()
	if b.target == "" {
		o.Collect = stand.Collect
	}
	run, err := load.RunHold(c.Context(), server, o, b.progress(c))
	if err != nil {
		return err
	}
	return b.print(c, run.Report(&o))
}

// stand returns a testbed. It starts a server for these clients with the settings in
// env, unless the operator named a server. The caller closes the testbed.
func (b *scenario) stand(ctx context.Context, o *load.Clients, env ...string) (*testbed.Testbed, load.Target, error) {
	target := load.Target{PIDs: b.pids, Canned: b.canned}
	if b.target != "" {
		var err error
		if target.Addr, err = netip.ParseAddrPort(b.target); err != nil {
			return nil, target, exit.Usage(fmt.Errorf("--target: %w", err))
		}
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, target, err
	}
	stand, err := testbed.New(binary)
	if err != nil {
		return nil, target, err
	}
	switch {
	case b.target != "":
	case o.Native != nil:
		target, err = stand.StartNative(ctx, o.Native, env...)
	default:
		target, err = stand.StartServer(ctx, o.Accounts, env...)
	}
	if err != nil {
		return nil, target, errors.Join(err, stand.Close())
	}
	return stand, target, nil
}
