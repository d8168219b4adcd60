package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/storage"
)

func (f *accountFlags) showCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "show NAME",
		Short:   "Show what is known of an account",
		Example: "  gatepass account show ALICE\n  gatepass account show --json ALICE | jq .last_login",
		Args:    oneName,
		RunE: func(c *cobra.Command, args []string) error {
			return f.with(c.Context(), false, func(h *accounts.Handle) error {
				account, err := h.Show(c.Context(), args[0])
				if err != nil {
					return err
				}
				now := h.Now().Unix()
				if asJSON {
					return json.NewEncoder(c.OutOrStdout()).Encode(accounts.Summarize(account, now))
				}
				return printAccount(c.OutOrStdout(), account, now)
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// listFlags say what of the list is printed.
type listFlags struct {
	asJSON, addresses bool
	after             string
	limit             int
}

func (f *accountFlags) listCommand() *cobra.Command {
	l := &listFlags{}
	c := &cobra.Command{
		Use:   "list",
		Short: "List the accounts, sorted by name",
		Example: `  gatepass account list --limit 50
  gatepass account list --after MALLORY --limit 50
  gatepass account list --json | jq -r 'select(.banned).username'
  gatepass account list --addresses`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return f.with(c.Context(), false, func(h *accounts.Handle) error {
				if l.addresses {
					return l.printAddresses(c, h)
				}
				return l.printAccounts(c, h)
			})
		},
	}
	c.Flags().BoolVar(&l.asJSON, "json", false, "print one JSON object a line")
	c.Flags().BoolVar(&l.addresses, "addresses", false, "list the banned addresses instead")
	c.Flags().StringVar(&l.after, "after", "", "begin behind this `name`")
	c.Flags().IntVar(&l.limit, "limit", 0, "list at most this many accounts; 0 for all")
	return c
}

func (l *listFlags) printAccounts(c *cobra.Command, h *accounts.Handle) error {
	var after storage.Name
	if l.after != "" {
		var err error
		if after, err = accounts.ParseName(l.after); err != nil {
			return usageError{err}
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

// listRow has fixed widths: a list of millions is printed as it comes.
const listRow = "%-16s  %-20s  %-20s  %s\n"

func (l *listFlags) printRow(out io.Writer, a *storage.Account, now int64) error {
	if l.asJSON {
		return json.NewEncoder(out).Encode(accounts.Summarize(a, now))
	}
	_, err := fmt.Fprintf(out, listRow, a.Name, moment(a.Created), moment(a.Login.LastLogin), banText(&a.Ban, now))
	return err
}

func (l *listFlags) printAddresses(c *cobra.Command, h *accounts.Handle) error {
	bans, err := h.AddressBans(c.Context())
	if err != nil {
		return err
	}
	out, now := c.OutOrStdout(), h.Now().Unix()
	for i := range bans {
		if l.asJSON {
			err = json.NewEncoder(out).Encode(accounts.SummarizeBan(&bans[i], now))
		} else {
			_, err = fmt.Fprintf(out, "%-20s  %s\n", bans[i].Prefix, banText(&bans[i].Ban, now))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printAccount(out io.Writer, a *storage.Account, now int64) error {
	s := accounts.Summarize(a, now)
	from := ""
	if a.Login.LastAddr.IsValid() {
		from = " from " + a.Login.LastAddr.String()
	}
	_, err := fmt.Fprintf(out, `name         %s
created      %s
protocols    %s
second step  %s
ban          %s
last login   %s%s
last failed  %s, %d since the last login
`, s.Username, moment(a.Created), strings.Join(s.Protocols, ", "), secondStep(s), banText(&a.Ban, now),
		moment(a.Login.LastLogin), from, moment(a.Login.LastFailed), a.Login.Failed)
	return err
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
		text = "over since " + moment(b.Until)
	case b.Until != 0:
		text = "until " + moment(b.Until)
	}
	if b.By != "" {
		text += " by " + b.By
	}
	if b.Reason != "" {
		text += ": " + b.Reason
	}
	return text
}

// moment words Unix seconds.
func moment(seconds int64) string {
	if seconds == 0 {
		return "never"
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}
