package patch

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/codec"
	"gatepass/patches"
)

// knownFlags are the flags of known.
type knownFlags struct {
	platform, hmac string
	remove, quiet  bool
	anyFiles       bool
}

func newKnown() *cobra.Command {
	k := &knownFlags{}
	c := &cobra.Command{
		Use:   "known BUILD --platform SYSTEM-ARCH (--hmac HEX | FILE… | --remove)",
		Short: "Set the known hashes of existing clients' files, which switches their check on",
		Long: `Existing clients (grunt) send a hash over some of their files with each login. If a
hash is known for a client's build and platform, a client with another hash is refused
with the answer for a wrong version. Without a known hash nothing is checked: that is
the default. Several may be known at once; each is accepted.

The files, in this order:

  Windows  WoW.exe fmod.dll ijl15.dll dbghelp.dll unicows.dll
  Mac      "MacOS/World of Warcraft" Info.plist Resources/Main.nib/objects.xib
           Resources/wow.icns PkgInfo

Other files are refused, because with their hash the check would let nobody in.
--any-files accepts them, for another game, or another platform than Win-… and OSX-…

Give the files themselves, or with --hmac their HMAC-SHA1 under the salt
BAA31E99A00B2157FC373FB369CDD2F1, 40 hex digits: the form in which the hashes of
untouched clients are published. docs/updates.md has those of common builds.

The check finds clients whose files are damaged or mixed up. It does not stop cheats: a
modified client can send the hash of an unmodified one. Clients of other makers send
zeros or random bytes and are refused. Reconnects are not checked.`,
		Example: `  gatepass patch known 5875 --platform Win-x86 --hmac 95edb27c7823b363cbddab56a392e7cb73fcca20
  gatepass patch known 5875 --platform Win-x86 WoW.exe fmod.dll ijl15.dll dbghelp.dll unicows.dll
  gatepass patch known 5875 --platform Win-x86 --remove`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return exit.Usage(fmt.Errorf("%s takes a build first (see '%s --help')", c.CommandPath(), c.CommandPath()))
		},
		RunE: func(c *cobra.Command, args []string) error { return k.run(c, args[0], args[1:]) },
	}
	f := c.Flags()
	f.StringVar(&k.platform, "platform", "", "platform that such clients send: `SYSTEM-ARCH`, such as Win-x86")
	f.StringVar(&k.hmac, "hmac", "", "`HEX` of the HMAC-SHA1 of the files")
	f.BoolVar(&k.remove, "remove", false, "remove all known hashes of the build and platform: no check any more")
	f.BoolVar(&k.anyFiles, "any-files", false, "accept files of other names and number than these five")
	f.BoolVar(&k.quiet, "quiet", false, "show no progress")
	return c
}

func (k *knownFlags) run(c *cobra.Command, build string, files []string) error {
	known, err := k.known(build, files)
	if err != nil {
		return err
	}
	at, err := openConfig(c.Flags())
	if err != nil {
		return err
	}
	switch {
	case k.remove:
		return at.forgetKnown(c.Context(), c.OutOrStdout(), known)
	case len(files) > 0:
		if known.HMAC, err = k.hash(c, files); err != nil {
			return explain(err, at.dir)
		}
	}
	q := admin.KnownFilesRequest{Build: known.Build, Platform: known.Platform, HMAC: hex.EncodeToString(known.HMAC[:])}
	if _, err := admin.AddKnownFiles().Run(c.Context(), at.service(), q); err != nil {
		return at.ended(c.Context(), err)
	}
	fmt.Fprintf(c.OutOrStdout(), "known for %s: %s\nits clients are let in only if they show a known one; 'gatepass patch known %d --platform %s --remove' ends the check\n",
		known, hex.EncodeToString(known.HMAC[:]), known.Build, known.Platform)
	return nil
}

// known checks the command line and returns its values. The HMAC is set only if it was
// given.
func (k *knownFlags) known(text string, files []string) (known patches.Known, err error) {
	if known.Build, err = parseBuild("build", text); err != nil {
		return known, err
	}
	given := 0
	for _, set := range []bool{k.hmac != "", k.remove, len(files) > 0} {
		if set {
			given++
		}
	}
	if given != 1 {
		return known, exit.Usage(errors.New("give exactly one of the client's files, --hmac and --remove"))
	}
	if k.platform == "" {
		return known, exit.Usage(errors.New("--platform: the files are those of one platform: give it as clients say it, such as Win-x86"))
	}
	scope, err := (&scopeFlags{protocol: codec.ProtocolGrunt.String(), platform: k.platform}).scope()
	known.Platform = scope.Platform
	if err != nil || k.hmac == "" {
		if err == nil && len(files) > 0 && !k.anyFiles {
			err = filesInOrder(known.Platform, files)
		}
		return known, err
	}
	sum, err := hex.DecodeString(k.hmac)
	if err != nil || len(sum) != len(known.HMAC) {
		return known, exit.Usage(fmt.Errorf("--hmac: give %d hex digits, not %q", 2*len(known.HMAC), k.hmac))
	}
	copy(known.HMAC[:], sum)
	return known, nil
}

// clientFiles returns the files that clients of the platform hash, in their order, or
// nil if they are unknown.
func clientFiles(platform string) []string {
	switch system, _, _ := strings.Cut(platform, "-"); system {
	case "Win":
		return []string{"WoW.exe", "fmod.dll", "ijl15.dll", "dbghelp.dll", "unicows.dll"}
	case "OSX":
		return []string{"World of Warcraft", "Info.plist", "objects.xib", "wow.icns", "PkgInfo"}
	}
	return nil
}

// filesInOrder refuses files or an order that no client hashes. No client could show
// such a hash, so no client would be accepted.
func filesInOrder(platform string, files []string) error {
	order := clientFiles(platform)
	if order == nil {
		return exit.Usage(fmt.Errorf("files: which files clients of %s hash is not known; --any-files takes those that you give", platform))
	}
	named := func(path, name string) bool { return strings.EqualFold(filepath.Base(path), name) }
	if !slices.EqualFunc(files, order, named) {
		return exit.Usage(fmt.Errorf("files: clients of %s hash all of these, in this order: %s; --any-files takes others", platform, strings.Join(order, ", ")))
	}
	return nil
}

func (k *knownFlags) hash(c *cobra.Command, files []string) ([20]byte, error) {
	bar, err := terminal.NewByteBar(c.ErrOrStderr(), terminal.ByteOptions{Label: "hash", Paths: files, Quiet: k.quiet})
	if err != nil {
		return [20]byte{}, err
	}
	defer bar.End()
	return patches.FilesHMAC(files, bar.To)
}

func (at *catalogueAt) forgetKnown(ctx context.Context, out io.Writer, known patches.Known) error {
	_, err := admin.ForgetKnownFiles().Run(ctx, at.service(), admin.ForgetFilesRequest{Build: known.Build, Platform: known.Platform})
	err = at.ended(ctx, err)
	if errors.Is(err, patches.ErrNotThere) {
		return fmt.Errorf("nothing is known for %s; 'gatepass patch list' prints what is", known)
	}
	if err == nil {
		fmt.Fprintf(out, "nothing is known for %s any more: its clients' files are not checked\n", known)
	}
	return err
}
