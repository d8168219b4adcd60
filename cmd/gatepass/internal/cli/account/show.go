package account

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/storage"
)

func (f *commands) showCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "show NAME",
		Short:   "Show what is known of an account",
		Example: "  gatepass account show ALICE\n  gatepass account show --json ALICE | jq .last_login",
		Args:    oneName,
		RunE: func(c *cobra.Command, args []string) error {
			return f.read(c.Context(), func(h *admin.Handle) error {
				account, err := h.Show(c.Context(), args[0])
				if err != nil {
					return err
				}
				devices, err := h.Devices(c.Context(), args[0])
				if err != nil {
					return err
				}
				d := details{account, devices, h.Now().Unix()}
				if asJSON {
					return d.encode(c.OutOrStdout())
				}
				return d.print(c.OutOrStdout())
			})
		},
	}
	terminal.JSONFlag(c.Flags(), &asJSON)
	return c
}

// listFlags select what list prints.
type listFlags struct {
	asJSON, addresses bool
	after             string
	limit             int
}

func (f *commands) listCommand() *cobra.Command {
	l := &listFlags{}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the accounts, sorted by name",
		Example: `  gatepass account list --limit 50
  gatepass account list --after MALLORY --limit 50
  gatepass account list --json | jq -r 'select(.banned).username'
  gatepass account list --addresses`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.read(c.Context(), func(h *admin.Handle) error {
				if l.addresses {
					return l.printAddresses(c, h)
				}
				return l.printAccounts(c, h)
			})
		},
	}
	terminal.JSONFlag(c.Flags(), &l.asJSON)
	c.Flags().BoolVar(&l.addresses, "addresses", false, "list the banned addresses instead")
	c.Flags().StringVar(&l.after, "after", "", "begin after this `name`")
	c.Flags().IntVar(&l.limit, "limit", 0, "list at most this many accounts; 0 for all")
	return c
}

func (l *listFlags) printAccounts(c *cobra.Command, h *admin.Handle) error {
	var after storage.Name
	if l.after != "" {
		var err error
		if after, err = accounts.ParseName(l.after); err != nil {
			return exit.Usage(err)
		}
	}
	out, now, count := c.OutOrStdout(), h.Now().Unix(), 0
	if !l.asJSON {
		fmt.Fprintf(out, listRow, "NAME", "CREATED", "LAST LOGIN", "BAN")
	}
	for account, err := range h.All(c.Context(), after) {
		if err != nil {
			return err
		}
		if err := l.printRow(out, account, now); err != nil {
			return err
		}
		if count++; count == l.limit {
			break
		}
	}
	return nil
}

// listRow has fixed widths, so that a list of millions can be printed row by row.
const listRow = "%-16s  %-20s  %-20s  %s\n"

func (l *listFlags) printRow(out io.Writer, a *storage.Account, now int64) error {
	if l.asJSON {
		return terminal.PrintObjects(out, accounts.Summarize(a, now))
	}
	_, err := fmt.Fprintf(out, listRow, a.Name, terminal.Moment(a.Created), terminal.Moment(a.Login.LastLogin), banText(&a.Ban, now))
	return err
}

func (l *listFlags) printAddresses(c *cobra.Command, h *admin.Handle) error {
	bans, damage := h.AddressBans(c.Context())
	out, now := c.OutOrStdout(), h.Now().Unix()
	for i := range bans {
		var err error
		if l.asJSON {
			err = terminal.PrintObjects(out, accounts.SummarizeBan(&bans[i], now))
		} else {
			_, err = fmt.Fprintf(out, "%-20s  %s\n", bans[i].Prefix, banText(&bans[i].Ban, now))
		}
		if err != nil {
			return err
		}
	}
	return damage // the readable ones are listed nevertheless
}

// details is the printed form of one account.
type details struct {
	account *storage.Account
	devices []storage.Device
	now     int64
}

func (d details) encode(out io.Writer) error {
	return terminal.PrintObjects(out, struct {
		accounts.Summary
		Devices int `json:"devices"`
	}{accounts.Summarize(d.account, d.now), len(d.devices)})
}

func (d details) print(out io.Writer) error {
	a, s := d.account, accounts.Summarize(d.account, d.now)
	from := ""
	if a.Login.LastAddr.IsValid() {
		from = " from " + a.Login.LastAddr.String()
	}
	_, err := fmt.Fprintf(out, `name         %s
created      %s
protocols    %s
%ssecond step  %s
devices      %s
ban          %s
last login   %s%s
last failed  %s, %d since the last login
`, s.Username, terminal.Moment(a.Created), strings.Join(s.Protocols, ", "), d.native(s.Native), secondStep(s), devicesText(d.devices, d.now),
		banText(&a.Ban, d.now), terminal.Moment(a.Login.LastLogin), from, terminal.Moment(a.Login.LastFailed), a.Login.Failed)
	return err
}

// native returns a line about the native verifier, and another one if it is weak.
func (d details) native(n *accounts.NativeSummary) string {
	_, there := d.account.Others[accounts.ProtocolNative]
	switch {
	case !there:
		return ""
	case n == nil:
		return "native       cannot be read; a new password mends it\n"
	case n.Weak:
		return "native       " + nativeText(n) + "\n             weaker than new ones are by default; the next password change mends it\n"
	}
	return "native       " + nativeText(n) + "\n"
}

func secondStep(s accounts.Summary) string {
	switch {
	case s.TOTP && s.PIN:
		return "token and PIN"
	case s.TOTP:
		return "token"
	case s.PIN:
		return "PIN"
	}
	return "none"
}

func banText(b *storage.Ban, now int64) string {
	if !b.Set {
		return "none"
	}
	text := "for good"
	switch {
	case !b.Active(now):
		text = "over since " + terminal.Moment(b.Until)
	case b.Until != 0:
		text = "until " + terminal.Moment(b.Until)
	}
	if b.By != "" {
		text += " by " + b.By
	}
	if b.Reason != "" {
		text += ": " + b.Reason
	}
	return text
}
