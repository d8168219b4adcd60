package patch

import (
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/patches"
)

func newCheck() *cobra.Command {
	var s scopeFlags
	var build string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check --build BUILD",
		Short: "Show what a client would be told",
		Long: `Shows what a server with this catalogue and this configuration tells a client that
says it runs that build, platform and locale: let in, sent a patch, or refused. It shows
each file of the path; the client is sent the first one, and the next one when it
comes back with the build that the first one led to.

Without --platform or --locale no entry of the catalogue that is for one platform or
locale applies to the client.`,
		Example: `  gatepass patch check --build 5875
  gatepass patch check --build 5875 --platform Win-x86 --locale deDE
  gatepass patch check --build 41 --protocol native --json | jq -r .told`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			scope, err := s.scope()
			if err != nil {
				return err
			}
			number, err := parseBuild("--build", build)
			if err != nil {
				return err
			}
			at, err := existing(c.Flags())
			if err != nil {
				return err
			}
			v, err := at.view()
			if err != nil {
				return err
			}
			j := v.judge(scope, number)
			if asJSON {
				return terminal.PrintObjects(c.OutOrStdout(), j.json())
			}
			j.print(c.OutOrStdout())
			v.warnOpen(c.ErrOrStderr(), scope)
			v.warnFiles(c.ErrOrStderr(), &j)
			return nil
		},
	}
	c.Flags().StringVar(&build, "build", "", "the `BUILD` that the client sends")
	s.register(c.Flags())
	terminal.JSONFlag(c.Flags(), &asJSON)
	return c
}

func (j *judgement) print(out io.Writer) {
	fmt.Fprintf(out, "client  build %d (%s)\nstatus  %s (%s)\ntold    %s\n", j.build, j.Scope, j.status, j.why, j.text())
	for i := range j.way {
		f, end := &j.way[i], ""
		if i == len(j.way)-1 {
			end = ", which is let in"
		}
		fmt.Fprintf(out, "%d.      %s, %s, to build %d%s\n", i+1, f.ID, terminal.SizeText(f.Size), f.To, end)
	}
	if n := len(j.verdict.Known); n > 0 {
		fmt.Fprintf(out, "files   must be as known: %s\n", terminal.Count(uint32(n), "sum", "sums"))
	}
}

// warnOpen warns that narrower rules can apply to a real client.
func (v *catalogueView) warnOpen(out io.Writer, s patches.Scope) {
	platforms, locales := v.tags(s.Protocol)
	if s.Platform == "" && len(platforms) > 1 {
		fmt.Fprintln(out, "note: the catalogue tells platforms apart; --platform says which the client has")
	}
	if s.Locale == "" && len(locales) > 1 {
		fmt.Fprintln(out, "note: the catalogue tells locales apart; --locale says which the client has")
	}
}

// warnFiles warns about files that the client would get if they had not changed since
// they were added.
func (v *catalogueView) warnFiles(out io.Writer, j *judgement) {
	if j.let() || j.status == patches.StatusRefused {
		return
	}
	builds := []uint16{j.build}
	for i := range j.way {
		builds = append(builds, j.way[i].To)
	}
	entries := v.set.Entries()
	for i := range entries {
		p := &entries[i].Patch
		if entries[i].Err != nil && p.Matches(clientOf(j.Scope, j.build)) && slices.Contains(builds, p.From) {
			fmt.Fprintf(out, "warning: %v\n", entries[i].Err)
		}
	}
}
