package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatepass/storage"
)

// The demo account. It exists in `gatepass dev` only.
const (
	demoName     = "DEMO"
	demoPassword = "DEMO"
)

func devCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process, with a demo account and two demo worlds",
		Long: `Run a login server with nothing to install: the accounts are kept in --data, a
demo account is made, and two demo worlds are listed.

Point a client of build 5875 (1.12.1), 8606 (2.4.3) or 12340 (3.3.5a) at it:
    set realmlist 127.0.0.1          (realmlist.wtf)

It prints a line that begins with "ready" once it serves. SIGTERM or Ctrl-C
drains and ends it; a second one ends it at once.`,
		Example: `  gatepass dev
  gatepass dev --data /var/lib/gatepass --grunt 0.0.0.0:3724
  gatepass dev --config gatepass.toml --log.level debug`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd.Flags(), demoWorlds())
			if err != nil {
				return err
			}
			return runDev(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	serverFlags(cmd.Flags())
	return cmd
}

func demoWorlds() map[string]any {
	return map[string]any{"worlds": []map[string]any{
		{"id": 1, "name": "Demo One", "address": "127.0.0.1:8085", "kind": "normal", "category": 1, "population": 0.5},
		{"id": 2, "name": "Demo Two", "address": "127.0.0.1:8086", "kind": "pvp", "category": 1, "population": 1.5},
	}}
}

// runDev is the server's story: start, say so, wait, drain, close.
func runDev(ctx context.Context, c *config, out, errOut io.Writer) error {
	log, err := newLog(c, errOut)
	if err != nil {
		return err
	}
	defer log.close()
	e, err := startEdge(c, log)
	if err != nil {
		return err
	}
	// A stop that is asked for this early is no failure: it goes the usual way.
	if err := e.addDemo(context.WithoutCancel(ctx)); err != nil {
		return errors.Join(err, e.close())
	}
	fmt.Fprintf(out, "accounts in %s; demo account %s, password %s; clients: set realmlist %s\n",
		c.Data, demoName, demoPassword, e.server.Addr().Addr())
	fmt.Fprintf(out, "ready grunt=%s admin=http://%s reactors=%d procs=%d max-conns=%d\n",
		e.server.Addr(), e.admin.addr(), c.Reactors, c.Procs, e.server.Stats().MaxConns)
	failure := e.wait(ctx)
	if failure == nil {
		fmt.Fprintln(out, "draining")
		e.drain()
	}
	return errors.Join(failure, e.close())
}

// addDemo makes the demo account unless it is there.
func (e *edge) addDemo(ctx context.Context) error {
	err := e.manager.Add(ctx, demoName, demoPassword)
	if errors.Is(err, storage.ErrExists) {
		return nil
	}
	return err
}
