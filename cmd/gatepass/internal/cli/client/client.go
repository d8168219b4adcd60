package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"gatepass/client"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
)

const (
	// defaultNative is where `gatepass dev` listens for the native protocol.
	defaultNative = "127.0.0.1:3725"
	// comeBackWithin is the longest wait between attempts to reconnect, because a
	// person waits.
	comeBackWithin = 10 * time.Second
	// maxTag is the longest platform, system or locale tag, in bytes.
	maxTag = 4
)

// settings are the flags. address is the argument.
type settings struct {
	address string

	account      string
	passwordFile string
	stdin        bool
	build        buildNumber
	// platform, system and locale are tags of at most maxTag bytes.
	platform, system, locale string
	remember                 bool
	forget                   bool
	tokens                   string
	world                    string
	enter                    bool
	json                     bool
	once                     bool
	// updateDir is the folder for an update. Like yes, it also accepts the update.
	updateDir string
	yes       bool
}

// Command returns the command client.
func Command() *cobra.Command {
	f := &settings{}
	c := &cobra.Command{
		Use:   "client [ADDRESS]",
		Short: "Sign in as a player, watch the worlds and enter one",
		Long: `Signs in over the native protocol, as a game would, and shows the worlds as they
change. Select one with the arrow keys and enter, and press enter again to enter it;
the screen shows the place in its queue. r releases the world, q leaves.

ADDRESS is HOST or HOST:PORT of a login server, ` + defaultNative + ` by default. Account
and password are asked for, the password without echo. The password may also come from
a file or the first line of standard input; never from the command line, where other
users see it.

--remember stores a token on this device: the next sign-in to the same ADDRESS needs no
password. --forget ends it, at the server too.

A server may require an update of this build first. The program shows the update and
downloads it if you agree, or at once with --update or --yes; it resumes an earlier
download. It checks the file and does not run it: run it yourself. Which file it is may
depend on --build, --platform, --system and --locale.

With --json, or when standard output is no terminal, every event is a JSON object on a
line of its own, and commands are read from standard input, one a line:
    select ID    release    enter    code DIGITS    update    quit
Without --json, --once prints its table on any output. docs/client-json.md lists the
events. Nothing secret is ever printed.

Exit codes: 0 success, 1 a failure, 2 the command line is invalid,
3 the server refused or disconnected the player (password, ban, build, kick), 4 an update
was downloaded: run it and come back, 5 an update is needed and was declined, 130
interrupted before the sign-in or while an update was downloaded.

Environment: ` + config.ClientPrefix + `ACCOUNT and ` + config.ClientPrefix + `PASSWORD_FILE stand for the
flags of these names.`,
		Example: `  gatepass client                                    # the server of 'gatepass dev'
  gatepass client login.example.org --account ana --remember
  gatepass client --account ana --world Aldermoor --enter
  gatepass client --account ana --build 5875 --update ~/Downloads
  gatepass client --account ana --once --json | jq -r '.worlds[].name'
  (cat password; echo select 2; sleep 60; echo quit) | gatepass client --account ana --password-stdin --json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exit.Usage(fmt.Errorf("'%s' takes one address, got %d arguments (see '%s --help')", c.UseLine(), len(args), c.CommandPath()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.complete(c.Flags(), args); err != nil {
				return exit.Usage(err)
			}
			return f.run(c)
		},
	}
	f.define(c.Flags())
	return c
}

func (f *settings) define(flags *pflag.FlagSet) {
	flags.StringVar(&f.account, "account", "", "`name` of the account (default: asked for)")
	flags.StringVar(&f.passwordFile, "password-file", "", "`file` whose first line is the password")
	flags.BoolVar(&f.stdin, "password-stdin", false, "take the password from the first line of standard input")
	f.build = 1
	flags.Var(&f.build, "build", "`number` of the game's build, 1 to 65535")
	flags.StringVar(&f.platform, "platform", "", "`tag` of the game's platform, such as x64; 4 bytes at most")
	flags.StringVar(&f.system, "system", "", "`tag` of the operating system, such as Win; 4 bytes at most")
	flags.StringVar(&f.locale, "locale", "", "`tag` of the game's language, such as enUS; 4 bytes at most")
	flags.BoolVar(&f.remember, "remember", false, "remember this device, so that the next sign-in needs no password")
	flags.BoolVar(&f.forget, "forget", false, "sign in, end this device's token and leave")
	flags.StringVar(&f.tokens, "tokens", "", "`folder` of the remembered devices (default: gatepass/devices in your configuration folder)")
	flags.StringVar(&f.world, "world", "", "`name or id` of a world to select at once")
	flags.BoolVar(&f.enter, "enter", false, "enter a world as soon as it is selected")
	terminal.JSONFlag(flags, &f.json)
	flags.BoolVar(&f.once, "once", false, "print the worlds and end")
	flags.StringVar(&f.updateDir, "update", "", "`folder` for an update that the server requires; download it without asking")
	flags.BoolVar(&f.yes, "yes", false, "download such an update to the current folder, without asking")
}

// complete sets what the command line leaves open, and checks everything.
func (f *settings) complete(flags *pflag.FlagSet, args []string) error {
	f.address = defaultNative
	if len(args) == 1 {
		address, err := client.ParseAddress(args[0])
		if err != nil {
			return fmt.Errorf("%q is no address: want HOST or HOST:PORT, such as login.example.org", args[0])
		}
		f.address = address
	}
	if f.account == "" {
		f.account = os.Getenv(config.ClientPrefix + "ACCOUNT")
	}
	if f.passwordFile == "" && !f.stdin {
		f.passwordFile = os.Getenv(config.ClientPrefix + "PASSWORD_FILE")
	}
	switch {
	case flags.Changed("update") && f.updateDir == "":
		return errors.New("--update wants a folder; --yes takes this one")
	case f.stdin && f.passwordFile != "":
		return errors.New("--password-stdin and --password-file: give one of them")
	case f.enter && f.once, f.world != "" && f.once:
		return errors.New("--once only prints the worlds: it picks and enters none")
	case f.forget && (f.remember || f.once || f.enter || f.world != ""):
		return errors.New("--forget only ends this device's token: it remembers, prints, picks and enters nothing")
	}
	if err := errors.Join(f.checkTags(), f.checkUpdateDir()); err != nil {
		return err
	}
	return f.findTokens()
}

// checkUpdateDir checks the folder before anybody is asked for a password.
func (f *settings) checkUpdateDir() error {
	if f.updateDir == "" {
		return nil
	}
	switch info, err := os.Stat(f.updateDir); {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("--update: there is no folder %s: make it first", f.updateDir)
	case err != nil:
		return fmt.Errorf("--update: %w", err)
	case !info.IsDir():
		return fmt.Errorf("--update: %s is a file, not a folder", f.updateDir)
	}
	return nil
}

// checkTags returns every tag that is too long.
func (f *settings) checkTags() error {
	var faults []error
	for _, tag := range []struct{ name, value string }{{"platform", f.platform}, {"system", f.system}, {"locale", f.locale}} {
		if len(tag.value) > maxTag {
			faults = append(faults, fmt.Errorf("--%s %q is longer than %d bytes", tag.name, tag.value, maxTag))
		}
	}
	return errors.Join(faults...)
}

// findTokens determines the folder of tokens. It reads nothing without --remember and a
// known folder.
func (f *settings) findTokens() error {
	if f.tokens != "" {
		return nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		if f.remember || f.forget {
			return fmt.Errorf("where are the remembered devices? %w; give --tokens", err)
		}
		return nil
	}
	f.tokens = filepath.Join(dir, "gatepass", "devices")
	return nil
}

// store returns nil if there is no folder for tokens. Every address has its own folder,
// because a token must not be sent to another server. The folder's name is the address
// in lower case, with unsafe characters as %XX.
func (f *settings) store() client.TokenStore {
	if f.tokens == "" {
		return nil
	}
	return client.NewFileTokens(filepath.Join(f.tokens, url.QueryEscape(strings.ToLower(f.address))))
}

// options returns the options of the client.
func (f *settings) options() client.Options {
	return client.Options{
		Build: uint16(f.build), Platform: f.platform, System: f.system, Locale: f.locale, Tokens: f.store(), DeviceName: deviceName(), TakesUpdates: true,
		Backoff: client.Backoff{Max: comeBackWithin},
	}
}

// run signs in, plays and leaves.
func (f *settings) run(c *cobra.Command) error {
	v := newVisit(c, f)
	if f.forget {
		return v.fail(v.forgetDevice(c.Context()))
	}
	session, err := v.signIn(c.Context())
	if err != nil {
		return v.fail(err)
	}
	defer session.Close()
	if f.once {
		return v.printOnce(session.Worlds())
	}
	first, err := firstPick(f.world, session.Worlds().All())
	if err != nil {
		return v.fail(err)
	}
	err = v.play(c.Context(), signedIn{session}, first)
	return v.fail(err)
}

// buildNumber is the flag --build.
type buildNumber uint16

func (b *buildNumber) String() string { return strconv.Itoa(int(*b)) }

// Type implements pflag.Value.
func (b *buildNumber) Type() string { return "number" }

// Set implements pflag.Value.
func (b *buildNumber) Set(text string) error {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return errors.New("want 1 to 65535")
	}
	*b = buildNumber(n)
	return nil
}

// visit is one run of the command.
type visit struct {
	*settings
	cmd *cobra.Command
	// events is nil with a screen and for the table of --once.
	events *eventPrinter
	// screenless: standard output is not a terminal.
	screenless bool
	input      *lineInput
	orders     chan order
	codes      *codeDesk
	// warned: the fault of the token was printed. offered: the server has offered an
	// update.
	warned, offered bool
}

func newVisit(c *cobra.Command, f *settings) *visit {
	v := &visit{settings: f, cmd: c, orders: make(chan order, maxOrders), codes: newCodeDesk()}
	v.input = newLineInput(c.InOrStdin())
	out, isFile := c.OutOrStdout().(*os.File)
	v.screenless = !isFile || !term.IsTerminal(int(out.Fd()))
	if f.json || v.screenless && !f.once { // a table needs no terminal
		v.events = newEventPrinter(c.OutOrStdout(), uint16(f.build))
	}
	return v
}

// fail prints the reason for programs, and returns the error with its text and exit
// code.
func (v *visit) fail(err error) error {
	if err == nil {
		return nil
	}
	told := explained(err, v.address, uint16(v.build))
	switch {
	case isUnreachable(err):
		told.text += ": is a login server with the native protocol running there?"
	case !v.codes.isSignedIn() && !v.offered && (isLost(err) || errors.Is(err, client.ErrTimeout)):
		told.text += fmt.Sprintf("; is %s the port of the native protocol? It is %d by default", v.address, client.DefaultPort)
	}
	if v.events != nil && told.code != exitUpdated {
		v.events.failed(told)
	}
	return told
}

func (v *visit) printOnce(w *client.Worlds) error {
	if v.events != nil {
		return v.events.tell(worldsNews{list: w.All(), stale: w.Stale()})
	}
	s := newScreen("", "", 0)
	s.plain = v.screenless
	s.takeWorlds(worldsNews{list: w.All(), stale: w.Stale()})
	_, err := fmt.Fprint(v.cmd.OutOrStdout(), s.table())
	return err
}

// play runs the player's session on the screen or by lines, until it ends.
func (v *visit) play(ctx context.Context, g game, first []order) error {
	p := &player{game: g, first: first, orders: v.orders, codes: v.codes, autoEnter: v.enter}
	if v.events == nil {
		return playOnScreen(ctx, v, p)
	}
	v.input.follow(v.orders, v.codes, v.events)
	p.tell = func(news any) { _ = v.events.tell(news) } // a closed pipe ends the process
	return p.play(ctx)
}
