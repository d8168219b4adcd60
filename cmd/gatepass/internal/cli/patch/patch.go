package patch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/patches"
)

// Command returns the command patch with its subcommands.
func Command() *cobra.Command {
	c := &cobra.Command{
		Use:   "patch",
		Short: "Set which builds are let in, and update older clients",
		Long: `The patch commands edit the catalogue of builds and patches: which builds of the
game are let in, which must update, which are refused, and the files that lead from
one build to another. A client of a build that must update is sent the first file of
the path with the fewest bytes to a current build; without a path it is refused.

The catalogue is in the folder patches within the server's data folder. All commands
work whether or not a server runs; a running server follows a change within a second,
and completes transfers that it has begun.

Marks, patches and known files are for one protocol each, and with --platform and
--locale for one platform and one locale only. docs/updates.md has an example.

Exit codes: 0 done, 1 failed, 2 the command line is invalid, 130 interrupted.`,
		Example: `  gatepass patch add wow-5875-to-6005.mpq --from 5875 --to 6005
  gatepass patch mark 6005 current
  gatepass patch mark 5875 update
  gatepass patch check --build 5875
  gatepass patch list`,
	}
	flags := c.PersistentFlags()
	flags.String("config", "", "read a TOML configuration `FILE` (docs/configuration.md)")
	flags.String("data", "data", "the server's data `folder`")
	c.AddCommand(newAdd(), newList(), newRemove(), newVerify(),
		newMark(), newCheck(), newKnown())
	return c
}

// catalogueAt is the place of the catalogue, with its settings.
type catalogueAt struct {
	dir      string
	defaults patches.Defaults
}

// openConfig finds the catalogue by the configuration, the environment and the flags,
// as a server does.
func openConfig(flags *pflag.FlagSet) (*catalogueAt, error) {
	c, err := config.Load(flags, nil)
	if err != nil {
		return nil, err
	}
	return &catalogueAt{dir: c.PatchesDir(), defaults: c.KnownBuilds()}, c.CheckData()
}

// existing is openConfig for commands that create nothing. A missing folder is an
// error, because it is probably the wrong one.
func existing(flags *pflag.FlagSet) (*catalogueAt, error) {
	at, err := openConfig(flags)
	if err != nil {
		return nil, err
	}
	data := filepath.Dir(at.dir)
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("data: there is no folder %s: name the server's data folder with --data, or begin with 'gatepass patch add'", data)
	}
	return at, nil
}

func (at *catalogueAt) load() (*patches.Catalogue, error) {
	c, err := patches.Load(at.dir)
	return &c, explain(err, at.dir)
}

// service returns the services of admin commands for this catalogue.
func (at *catalogueAt) service() admin.Services {
	return admin.Services{Patches: &admin.Patches{Dir: at.dir}}
}

// ended returns a command's error with a hint and its exit code.
func (at *catalogueAt) ended(ctx context.Context, err error) error {
	return afterSignal(ctx, explain(err, at.dir))
}

// explain adds a hint to an error of a file or a folder.
func explain(err error, dir string) error {
	mend := ""
	switch {
	case errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT):
		mend = "nothing was changed"
	case errors.Is(err, fs.ErrPermission):
		mend = "run this as the user that the server runs as; he must be able to read the file, and to write in " + dir
	case errors.Is(err, unix.EROFS):
		mend = dir + " must be on a disk that can be written to"
	case errors.Is(err, fs.ErrNotExist):
		mend = "look at the path; one without a leading / counts from the folder you are in"
	case errors.Is(err, unix.EISDIR):
		mend = "give a file"
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, mend)
}

// afterSignal sets the exit code of a command that a signal has ended.
func afterSignal(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return exit.WithCode(exit.CodeInterrupted, errors.New("interrupted; the catalogue is as it was"))
	}
	return err
}

// parseBuild parses a build number. field is the name in the error.
func parseBuild(field, text string) (uint16, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16)
	if err != nil || n == 0 {
		return 0, exit.Usage(fmt.Errorf("%s: %q is no build; they are numbers in 1 to 65535, such as 5875", field, text))
	}
	return uint16(n), nil
}

// manyIDs accepts at least the given number of patch ids.
func manyIDs(least int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) >= least {
			return nil
		}
		return exit.Usage(fmt.Errorf("%s takes the ids of patches, which 'gatepass patch list' prints (see '%s --help')", c.CommandPath(), c.CommandPath()))
	}
}
