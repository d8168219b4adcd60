package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"gatepass/client"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

var (
	errNoAccount  = exit.Usage(errors.New("there is no terminal to ask for the account on; give --account"))
	errNoPassword = exit.Usage(errors.New("there is no terminal to ask for the password on; give --password-file or --password-stdin"))
	errNoCode     = errors.New("a second factor is wanted and none was given; give it as a line 'code DIGITS'")
	// errTokenRefused is printed before errNoPassword.
	errTokenRefused = errors.New("the server does not take this device's token any more")
	errEmpty        = errors.New("nothing was typed")
)

// maxAsked is how many times a password is asked for.
const maxAsked = 3

// signIn asks for missing data and signs in. Then it remembers the device, if
// requested.
func (v *visit) signIn(ctx context.Context) (*client.Session, error) {
	if err := v.findAccount(ctx); err != nil {
		return nil, err
	}
	password, err := v.givenPassword()
	if err != nil {
		return nil, err
	}
	s, err := v.signInBy(ctx, password)
	if err != nil {
		if !errors.Is(err, errNoPassword) { // its text includes it
			v.warnOfToken(err)
		}
		return nil, err
	}
	v.warnOfToken(s.TokenFault())
	if v.remember {
		v.rememberDevice(ctx, s)
	}
	return s, nil
}

// signInBy signs in with the given password, or without one with the token. It asks for
// a password if the token is not enough.
func (v *visit) signInBy(ctx context.Context, password string) (*client.Session, error) {
	var why error
	if password != "" || v.remembered() {
		s, err := v.login(ctx, password)
		if why = passwordWanted(err); password != "" || why == nil {
			return s, err
		}
		if _, ok := terminal.ConsoleOf(v.cmd); ok {
			v.warnOfToken(err)
		}
	}
	ask := func() (string, error) {
		password, err := v.askPassword(ctx)
		if why != nil && errors.Is(err, errNoPassword) {
			err = fmt.Errorf("%w; %w", why, err)
		}
		return password, err
	}
	login := func(password string) (*client.Session, error) { return v.login(ctx, password) }
	return signInAsking(ask, login, func(err error) { v.warn(explained(err, v.address, uint16(v.build)).text + "; try again") })
}

// passwordWanted returns why a sign-in by token needs a second one by password, or nil.
func passwordWanted(err error) error {
	var fault *client.TokenError
	switch {
	case errors.As(err, &fault):
		return fault
	case errors.Is(err, client.ErrBadCredentials):
		return errTokenRefused
	case errors.Is(err, client.ErrNoCredentials):
		return err
	}
	return nil
}

// signInAsking asks again after a wrong password, because typing errors are common.
func signInAsking[S any](ask func() (string, error), login func(password string) (S, error), again func(error)) (s S, err error) {
	for try := 1; ; try++ {
		password, err := ask()
		if err != nil {
			return s, err
		}
		s, err = login(password)
		if try == maxAsked || !errors.Is(err, client.ErrBadCredentials) {
			return s, err
		}
		again(err)
	}
}

func (v *visit) login(ctx context.Context, password string) (*client.Session, error) {
	c, err := client.Dial(ctx, v.address, v.options())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	who := client.Credentials{Account: v.account, Password: password, Code: v.code}
	s, err := c.Login(ctx, who)
	if offer := (*client.UpdateOffer)(nil); errors.As(err, &offer) {
		v.warnOfToken(err)
		return nil, v.update(ctx, c, who, offer)
	}
	if err != nil {
		return nil, err
	}
	v.codes.signedIn()
	if v.events != nil && !v.once {
		err = v.events.tell(signedInNews{account: strings.ToUpper(v.account)})
	}
	return s, err
}

func (v *visit) findAccount(ctx context.Context) (err error) {
	if v.account != "" {
		return nil
	}
	t, ok := terminal.ConsoleOf(v.cmd)
	if !ok || v.stdin {
		return errNoAccount
	}
	fmt.Fprint(t.Out, "Account: ")
	v.account, err = terminal.Await(ctx, v.input.line)
	if (err == nil || errors.Is(err, io.EOF)) && v.account == "" {
		return errEmpty
	}
	return err
}

// givenPassword returns the given password, or an empty text if there is none.
func (v *visit) givenPassword() (string, error) {
	switch {
	case v.stdin:
		return passwordLine(v.input, "standard input")
	case v.passwordFile == "":
		return "", nil
	}
	f, err := os.Open(v.passwordFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return passwordLine(newLineInput(f), v.passwordFile)
}

func passwordLine(in *lineInput, name string) (string, error) {
	secret, err := in.line()
	switch {
	case secret == "" && (err == nil || errors.Is(err, io.EOF)):
		return "", fmt.Errorf("%s: the first line is empty", name)
	case err != nil:
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	return secret, nil
}

func (v *visit) askPassword(ctx context.Context) (string, error) {
	t, ok := terminal.ConsoleOf(v.cmd)
	if !ok || v.stdin {
		return "", errNoPassword
	}
	secret, err := t.Secret(ctx, fmt.Sprintf("Password for %s: ", v.account))
	if (err == nil || errors.Is(err, io.EOF)) && secret == "" {
		return "", errEmpty
	}
	return secret, err
}

// code implements Credentials.Code. During the sign-in on a terminal it prompts.
// Otherwise it waits for the screen or the next line 'code'.
func (v *visit) code(ctx context.Context, factor client.Factor) (string, error) {
	t, ok := terminal.ConsoleOf(v.cmd)
	if v.codes.isSignedIn() || !ok {
		v.codes.want()
		if v.events != nil && !v.codes.isSignedIn() {
			v.input.follow(v.orders, v.codes, v.events)
			_ = v.events.tell(codeNews{factor})
		}
		return v.codes.wait(ctx, factor)
	}
	return t.Secret(ctx, fmt.Sprintf("%s: ", capital(factor.String())))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// lineInput reads standard input by lines. It has one reader at a time: first the
// sign-in, then the goroutine of follow.
type lineInput struct {
	r    *bufio.Reader
	once sync.Once
}

// maxInputLine is the longest line, in bytes. The rest of a longer line is another
// line.
const maxInputLine = 1 << 10

func newLineInput(in io.Reader) *lineInput {
	return &lineInput{r: bufio.NewReaderSize(in, maxInputLine)}
}

// line returns a line without its end, or io.EOF at the end of the input.
func (i *lineInput) line() (string, error) {
	b, err := i.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || errors.Is(err, io.EOF) && len(b) > 0 {
		err = nil
	}
	return strings.TrimRight(string(b), "\r\n"), err
}
