package patch

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/codec"
	"gatepass/patches"
)

// addFlags are the command's flags.
type addFlags struct {
	scopeFlags
	from, to, name       string
	take, require, quiet bool
	replace              bool
}

func newAdd() *cobra.Command {
	a := &addFlags{}
	c := &cobra.Command{
		Use:   "add FILE --from BUILD --to BUILD",
		Short: "Add a file that brings clients of one build to another",
		Long: `Reads the file once and puts it into the catalogue with its size, its MD5 (which
existing clients are told) and its SHA-256, whole and by chunks (for native clients).
If it is interrupted, nothing is added.

The file stays where it is, and must not change: a file that is written to is sent to
nobody. --take copies it into the data folder instead; 'patch remove' deletes the copy.

--replace puts the file in the place of a patch between the same builds for the same
clients, in one step: nobody is refused in between, and clients that are being sent the
old file get all of it. A copy of the old file is deleted.

A build from which a patch leads must update from then on, unless the configuration
lists it or it has a mark. A build that is listed, or marked current or accepted, is let
in as before until it is marked update: --require does this in the same step. The build
to which a patch leads is let in, unless it has another mark.

Existing clients (--protocol grunt) run only files that the maker of the game has
signed. The name of such a file does not matter to them.`,
		Example: `  gatepass patch add wow-5875-to-6005.mpq --from 5875 --to 6005
  gatepass patch add /srv/patches/5875to6005-de.mpq --from 5875 --to 6005 --locale deDE
  gatepass patch add update-42.bin --protocol native --from 41 --to 42 --take --require
  gatepass patch add fixed.mpq --from 5875 --to 6005 --replace
  gatepass patch add mac.bin --protocol native --platform OSX-arm --from 41 --to 42`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error { return a.run(c, args[0]) },
	}
	f := c.Flags()
	f.StringVar(&a.from, "from", "", "the `BUILD` that clients have")
	f.StringVar(&a.to, "to", "", "the `BUILD` that they have afterwards")
	a.scopeFlags.register(f)
	f.StringVar(&a.name, "name", "", "name of the file for native clients (default: its own name)")
	f.BoolVar(&a.take, "take", false, "copy the file into the data folder")
	f.BoolVar(&a.replace, "replace", false, "replace the existing patch between these builds")
	f.BoolVar(&a.require, "require", false, "mark the older build as one that must update")
	f.BoolVar(&a.quiet, "quiet", false, "show no progress")
	return c
}

func oneFile(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return exit.Usage(fmt.Errorf("%s takes one file, got %d arguments (see '%s --help')", c.CommandPath(), len(args), c.CommandPath()))
}

// patch returns the patch that the flags describe.
func (a *addFlags) patch() (p patches.Patch, err error) {
	if a.from == "" || a.to == "" {
		return p, exit.Usage(errors.New("--from and --to: give the build that the file leads from and the one that it leads to"))
	}
	if p.Scope, err = a.scope(); err != nil {
		return p, err
	}
	if p.From, err = parseBuild("--from", a.from); err != nil {
		return p, err
	}
	if p.To, err = parseBuild("--to", a.to); err != nil {
		return p, err
	}
	if p.From == p.To {
		return p, exit.Usage(fmt.Errorf("--to: a patch must lead to another build than %d, which it leads from", p.From))
	}
	p.ID = p.MakeID()
	return p, a.checkName(p)
}

// checkName refuses a wrong name before a large file is read. It tries the patch on a
// catalogue, with a file of one byte, because the catalogue has the rules.
func (a *addFlags) checkName(p patches.Patch) error {
	p.Path, p.Name, p.Size, p.ChunkSize, p.Hashes = "/", cmp.Or(a.name, "file"), 1, 1<<20, make([]byte, 32)
	var trial patches.Catalogue
	if err := trial.Add(p); err != nil {
		return exit.Usage(fmt.Errorf("--name: %w; leave out %s, and dots and spaces at its ends", err, `/ \ : * ? " < > |`))
	}
	return nil
}

func (a *addFlags) run(c *cobra.Command, path string) error {
	meant, err := a.patch()
	if err != nil {
		return err
	}
	at, err := openConfig(c.Flags())
	if err != nil {
		return err
	}
	before, err := at.load()
	if err != nil {
		return err
	}
	// Checked before a large file is read. The edit checks again.
	if before.Find(meant.ID) != nil && !a.replace {
		return fmt.Errorf("patch %s is in the catalogue already; --replace puts another file in its place", meant.ID)
	}
	added, err := a.add(c, at, path, &meant)
	if err != nil {
		return err
	}
	after, err := at.load()
	if err != nil {
		return err
	}
	found, err := admin.FindPatches(after, []string{added.ID})
	if err != nil {
		return err // another operator has removed it
	}
	p, verb := found[0], "added"
	if added.Replaced {
		verb = "replaced"
	}
	fmt.Fprintf(c.OutOrStdout(), "patch %s %s\n", p.ID, verb)
	a.print(c.OutOrStdout(), at, p)
	warnReader(c.ErrOrStderr(), at, p)
	return at.advise(c.OutOrStdout(), c.ErrOrStderr(), p)
}

// add runs the command and shows how much of the file is read.
func (a *addFlags) add(c *cobra.Command, at *catalogueAt, path string, meant *patches.Patch) (added admin.AddPatchResult, err error) {
	label := "hash"
	if a.take {
		label = "copy and hash"
	}
	bar, err := terminal.NewByteBar(c.ErrOrStderr(), terminal.ByteOptions{Label: label, Paths: []string{path}, Quiet: a.quiet})
	if err != nil {
		return added, explain(err, at.dir)
	}
	defer bar.End()
	q := admin.AddPatchRequest{
		File: path, Scope: admin.ScopeOf(meant.Scope), From: meant.From, To: meant.To,
		Name: a.name, Take: a.take, Replace: a.replace, Require: a.require,
	}
	err = admin.AddPatch().Stream(c.Context(), at.service(), q, func(r admin.AddPatchResult) error {
		if added = r; r.ID == "" {
			bar.To(r.Read)
		}
		return nil
	})
	return added, at.ended(c.Context(), err)
}

func (a *addFlags) print(out io.Writer, at *catalogueAt, p *patches.Patch) {
	where := ", where it stays: do not write to it"
	if p.Taken {
		where = ", a copy that gatepass keeps"
	}
	fmt.Fprintf(out, "clients  %s\nsize     %s\nMD5      %s…\nSHA-256  %s…, %s\nfile     %s%s\n",
		p.Scope, terminal.SizeExact(p.Size), hex.EncodeToString(p.MD5[:6]), hex.EncodeToString(p.SHA256[:6]),
		terminal.Count(uint32(len(p.Hashes)/len(p.SHA256)), "chunk", "chunks")+" of "+terminal.SizeText(uint64(p.ChunkSize)), patches.Printable(p.File(at.dir)), where)
	if p.Protocol == codec.ProtocolGrunt {
		fmt.Fprintln(out, "existing clients run only files that their maker has signed; the file's name does not matter to them")
	} else {
		fmt.Fprintf(out, "clients call it %s\n", p.Name)
	}
}

// warnReader warns if the server probably cannot read the file. The server runs as the
// owner of the data folder, and another user may have added the file.
func warnReader(warn io.Writer, at *catalogueAt, p *patches.Patch) {
	data, dataErr := os.Stat(filepath.Dir(at.dir))
	file, fileErr := os.Stat(p.File(at.dir))
	if dataErr != nil || fileErr != nil || file.Mode()&0o004 != 0 {
		return
	}
	server, ok := data.Sys().(*syscall.Stat_t)
	owner, isFile := file.Sys().(*syscall.Stat_t)
	if ok && isFile && server.Uid != 0 && server.Uid != owner.Uid {
		fmt.Fprintf(warn, "warning: the data folder is user %d's, who may not be able to read %s: let him, or add it with --take\n", server.Uid, patches.Printable(p.File(at.dir)))
	}
}

// advise prints what the patch means for clients of its two builds.
func (at *catalogueAt) advise(out, warn io.Writer, p *patches.Patch) error {
	v, err := at.view()
	if err != nil {
		return err
	}
	if to := v.judge(p.Scope, p.To); !to.let() && to.verdict.Update == nil {
		fmt.Fprintf(warn, "warning: build %d is not let in and no patch leads on from it; 'gatepass patch mark %d current%s' lets it in\n",
			p.To, p.To, scopeArgs(p.Scope))
	}
	from, who := v.judge(p.Scope, p.From), narrow(p.Scope)
	switch {
	case from.let():
		fmt.Fprintf(out, "clients of build %d%s are still let in (%s): 'gatepass patch mark %d update%s' sends them the patch\n",
			p.From, who, from.why, p.From, scopeArgs(p.Scope))
	case from.verdict.Update != nil:
		fmt.Fprintf(out, "clients of build %d%s are %s\n", p.From, who, from.text())
	case from.status == patches.StatusRefused:
		fmt.Fprintf(out, "clients of build %d%s are refused (%s): 'gatepass patch mark %d update%s' sends them the patch\n",
			p.From, who, from.why, p.From, scopeArgs(p.Scope))
	default:
		fmt.Fprintf(out, "clients of build %d%s are refused until a way leads to a build that is let in\n", p.From, who)
	}
	return nil
}
