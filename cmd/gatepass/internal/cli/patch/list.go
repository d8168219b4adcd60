package patch

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/patches"
)

func newList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the patches, the builds and what their clients are told, and the known files",
		Long: `Lists the catalogue, and what a server with this configuration tells the clients of
each build. It checks the size and time of files, and does not read them. States:

  ok          has the size and time that were recorded
  missing     does not exist: it is offered to nobody
  changed     has another size or time; a server reads a file of the same size again
              before it offers it, and 'gatepass patch verify' says more
  wrong       'gatepass patch verify' found that it is not what was added
  unreadable  exists and cannot be opened

The builds are those of the configuration, of marks and of patches. Each has one line
for most of its clients, and a line for each platform and locale with another result.

--json prints one object; docs/updates-reference.md lists its fields.`,
		Example: `  gatepass patch list
  gatepass patch list --config /etc/gatepass.toml
  gatepass patch list --json | jq -r '.patches[] | select(.state != "ok").id'
  gatepass patch list --json | jq '.builds[] | select(.told == "refused")'`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			at, err := existing(c.Flags())
			if err != nil {
				return err
			}
			v, err := at.view()
			if err != nil {
				return err
			}
			if asJSON {
				return v.encode(c.OutOrStdout(), at.dir)
			}
			return v.print(c.OutOrStdout(), c.ErrOrStderr(), at.dir)
		},
	}
	terminal.JSONFlag(c.Flags(), &asJSON)
	return c
}

// fileState returns the state of a patch's file in one word. It returns "changed" for a
// file that a server must read again first. The server may have read it already, which
// this process cannot see.
func fileState(e *patches.Entry) string {
	switch state := e.State(); state {
	case patches.StateOffered:
		return "ok"
	case patches.StateChecking:
		return patches.StateChanged.String()
	default:
		return state.String()
	}
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (v *catalogueView) print(out, warn io.Writer, dir string) error {
	entries := v.set.Entries()
	if len(entries) == 0 {
		fmt.Fprintln(out, "no patches")
	} else {
		w := newTable(out, "PATCH\tWAY\tCLIENTS\tSIZE\tTAKEN\tSTATE\tFILE")
		for i := range entries {
			e, p := &entries[i], &entries[i].Patch
			fmt.Fprintf(w, "%s\t%d to %d\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.From, p.To, scopeText(p.Scope),
				terminal.SizeText(p.Size), yesNo(p.Taken), fileState(e), patches.Printable(p.File(dir)))
		}
		w.Flush()
	}
	fmt.Fprintln(out)
	w := newTable(out, "BUILD\tCLIENTS\tSTATUS\tBECAUSE\tTOLD")
	for _, j := range v.judgements() {
		text := j.text()
		if len(j.way) > 0 {
			text += ": " + strings.Join(j.ids(), ", ")
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", j.build, scopeText(j.Scope), j.status, j.why, text)
	}
	w.Flush()
	if len(v.defaults.Native) == 0 {
		fmt.Fprintln(out, "every other native build is let in: native-builds is empty")
	}
	v.printKnown(out)
	for i := range entries {
		if err := entries[i].Err; err != nil {
			fmt.Fprintf(warn, "warning: %v\n", err)
		}
	}
	return nil
}

func (v *catalogueView) printKnown(out io.Writer) {
	if len(v.catalogue.Known) == 0 {
		return
	}
	fmt.Fprintln(out)
	w := newTable(out, "BUILD\tPLATFORM\tKNOWN FILES")
	for _, k := range v.catalogue.Known {
		platform := k.Platform
		if platform == "" {
			platform = "any"
		}
		fmt.Fprintf(w, "%d\t%s\t%s\n", k.Build, platform, hex.EncodeToString(k.HMAC[:]))
	}
	w.Flush()
}

func newTable(out io.Writer, head string) *tabwriter.Writer {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	return w
}

// The JSON of list and check. Fields are only added, never removed.
type (
	listJSON struct {
		Folder  string      `json:"folder"`
		Patches []patchJSON `json:"patches"`
		Marks   []markJSON  `json:"marks"`
		Builds  []buildJSON `json:"builds"`
		Known   []knownJSON `json:"known"`
	}
	scopeJSON struct {
		Protocol string `json:"protocol"`
		Platform string `json:"platform"`
		Locale   string `json:"locale"`
	}
	patchJSON struct {
		ID   string `json:"id"`
		From uint16 `json:"from"`
		To   uint16 `json:"to"`
		scopeJSON
		Name      string `json:"name"`
		File      string `json:"file"`
		Taken     bool   `json:"taken"`
		Size      uint64 `json:"size"`
		Modified  string `json:"modified"`
		MD5       string `json:"md5"`
		SHA256    string `json:"sha256"`
		ChunkSize uint32 `json:"chunk_size"`
		State     string `json:"state"`
		Problem   string `json:"problem,omitempty"`
	}
	markJSON struct {
		Build uint16 `json:"build"`
		scopeJSON
		Status string `json:"status"`
	}
	buildJSON struct {
		Build uint16 `json:"build"`
		scopeJSON
		Status  string `json:"status"`
		Because string `json:"because"`
		// Told is let-in, update or refused.
		Told  string   `json:"told"`
		Way   []string `json:"way"`
		To    uint16   `json:"to"`
		Bytes uint64   `json:"bytes"`
		// KnownFiles is the number of known checksums. The client must show one of
		// them.
		KnownFiles int `json:"known_files"`
	}
	knownJSON struct {
		Build    uint16 `json:"build"`
		Platform string `json:"platform"`
		HMAC     string `json:"hmac"`
	}
)

func scopeToJSON(s patches.Scope) scopeJSON {
	return scopeJSON{s.Protocol.String(), s.Platform, s.Locale}
}

func entryToJSON(e *patches.Entry, dir string) patchJSON {
	p := &e.Patch
	j := patchJSON{
		ID: p.ID, From: p.From, To: p.To, scopeJSON: scopeToJSON(p.Scope), Name: p.Name, File: p.File(dir), Taken: p.Taken,
		Size: p.Size, Modified: p.Modified.UTC().Format(time.RFC3339Nano), MD5: hex.EncodeToString(p.MD5[:]),
		SHA256: hex.EncodeToString(p.SHA256[:]), ChunkSize: p.ChunkSize, State: fileState(e),
	}
	if e.Err != nil {
		j.Problem = e.Err.Error()
	}
	return j
}

func (j *judgement) json() buildJSON {
	told := "refused"
	switch {
	case j.let():
		told = "let-in"
	case j.verdict.Update != nil:
		told = "update"
	}
	return buildJSON{
		Build: j.build, scopeJSON: scopeToJSON(j.Scope), Status: j.status.String(), Because: j.why, Told: told,
		Way: j.ids(), To: j.to, Bytes: j.verdict.Total, KnownFiles: len(j.verdict.Known),
	}
}

func (v *catalogueView) encode(out io.Writer, dir string) error {
	list := listJSON{Folder: dir, Patches: []patchJSON{}, Marks: []markJSON{}, Builds: []buildJSON{}, Known: []knownJSON{}}
	entries := v.set.Entries()
	for i := range entries {
		list.Patches = append(list.Patches, entryToJSON(&entries[i], dir))
	}
	for _, m := range v.catalogue.Marks {
		list.Marks = append(list.Marks, markJSON{m.Build, scopeToJSON(m.Scope), m.Status.String()})
	}
	for _, j := range v.judgements() {
		list.Builds = append(list.Builds, j.json())
	}
	for _, k := range v.catalogue.Known {
		list.Known = append(list.Known, knownJSON{k.Build, k.Platform, hex.EncodeToString(k.HMAC[:])})
	}
	return terminal.PrintObjects(out, list)
}
