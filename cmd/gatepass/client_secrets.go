package main

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
)

var (
	errNoAccount  = usageError{errors.New("there is no terminal to ask for the account on; give --account")}
	errNoPassword = usageError{errors.New("there is no terminal to ask for the password on; give --password-file or --password-stdin")}
	errNoCode     = errors.New("a second factor is wanted and standard input has ended; give it as a line 'code DIGITS'")
	errEmpty      = errors.New("nothing was typed")
)

// signIn asks for what is missing and signs in. A remembered device is tried first
// without a password; it is asked for when the server does not take the token.
func (v *visit) signIn(ctx context.Context) (*client.Session, error) {
	if err := v.findAccount(ctx); err != nil {
		return nil, err
	}
	password, err := v.givenPassword()
	if err != nil {
		return nil, err
	}
	if password == "" && !v.remembered() {
		if password, err = v.askPassword(ctx); err != nil {
			return nil, err
		}
	}
	s, err := v.login(ctx, password)
	if password == "" && (errors.Is(err, client.ErrNoCredentials) || errors.Is(err, client.ErrBadCredentials)) {
		if password, err = v.askPassword(ctx); err != nil {
			return nil, err
		}
		s, err = v.login(ctx, password)
	}
	if err == nil && v.remember && !v.remembered() {
		fmt.Fprintln(v.cmd.ErrOrStderr(), "gatepass: this device is not remembered: the server gave no token, or it could not be stored")
	}
	return s, err
}

func (v *visit) login(ctx context.Context, password string) (*client.Session, error) {
	c, err := client.Dial(ctx, v.address, v.options())
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := c.Login(ctx, client.Credentials{Account: v.account, Password: password, Code: v.code})
	if err != nil {
		return nil, err
	}
	v.codes.signedIn()
	if v.events != nil && !v.once {
		err = v.events.tell(signedInNews{account: strings.ToUpper(v.account)})
	}
	return s, err
}

// deviceName is what the player finds this device by in the list of remembered ones.
func deviceName() string {
	host, err := os.Hostname()
	if err != nil {
		return "gatepass client"
	}
	return "gatepass client on " + host
}

func (v *visit) findAccount(ctx context.Context) (err error) {
	if v.account != "" {
		return nil
	}
	t, ok := terminalOf(v.cmd)
	if !ok || v.stdin {
		return errNoAccount
	}
	fmt.Fprint(t.out, "Account: ")
	v.account, err = await(ctx, v.input.line)
	if err == nil && v.account == "" {
		return errEmpty
	}
	return err
}

// givenPassword is empty when none was given.
func (v *visit) givenPassword() (string, error) {
	if v.stdin {
		return v.input.line()
	}
	if v.passwordFile == "" {
		return "", nil
	}
	f, err := os.Open(v.passwordFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	secret, err := secretFromStdin(f)
	if err == nil && secret == "" {
		return "", fmt.Errorf("%s: the first line is empty", v.passwordFile)
	}
	return secret, err
}

func (v *visit) askPassword(ctx context.Context) (string, error) {
	t, ok := terminalOf(v.cmd)
	if !ok || v.stdin {
		return "", errNoPassword
	}
	secret, err := t.secret(ctx, fmt.Sprintf("Password for %s: ", v.account))
	if err == nil && secret == "" {
		return "", errEmpty
	}
	return secret, err
}

// remembered tells that there is a token to try.
func (v *visit) remembered() bool {
	store := v.store()
	if store == nil {
		return false
	}
	_, err := store.Load(strings.ToUpper(v.account))
	return err == nil
}

// code is Credentials.Code: at the sign-in a prompt where there is a terminal, later
// and elsewhere whatever the screen or the next line 'code' gives.
func (v *visit) code(ctx context.Context, factor client.Factor) (string, error) {
	t, ok := terminalOf(v.cmd)
	if v.codes.isSignedIn() || !ok {
		if v.events != nil && !v.codes.isSignedIn() {
			v.input.follow(v.orders, v.codes, v.events)
			_ = v.events.tell(codeNews{factor})
		}
		return v.codes.wait(ctx, factor)
	}
	return t.secret(ctx, fmt.Sprintf("%s: ", capital(factor.String())))
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// clientInput is standard input by lines. It has one reader at a time: the sign-in,
// then the goroutine of follow.
type clientInput struct {
	r    *bufio.Reader
	once sync.Once
}

// maxInputLine bounds a line, in bytes; the rest of a longer one is another line.
const maxInputLine = 1 << 10

func newClientInput(in io.Reader) *clientInput {
	return &clientInput{r: bufio.NewReaderSize(in, maxInputLine)}
}

// line reads one without its end. The end of the input is io.EOF.
func (i *clientInput) line() (string, error) {
	b, err := i.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) || errors.Is(err, io.EOF) && len(b) > 0 {
		err = nil
	}
	return strings.TrimRight(string(b), "\r\n"), err
}
