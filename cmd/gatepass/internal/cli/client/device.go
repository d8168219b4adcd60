package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"gatepass/client"
)

// deviceName returns the name of this device in the player's list of devices.
func deviceName() string {
	host, err := os.Hostname()
	if err != nil {
		return "gatepass client"
	}
	return "gatepass client on " + host
}

// remembered reports whether there is a token to try, even a damaged one.
func (v *visit) remembered() bool {
	store := v.store()
	if store == nil {
		return false
	}
	t, err := store.Load(strings.ToUpper(v.account))
	return err == nil && t.Family != [16]byte{} || err != nil && !errors.Is(err, client.ErrNoToken)
}

func (v *visit) warn(text string) {
	fmt.Fprintln(v.cmd.ErrOrStderr(), "gatepass: "+text)
}

// warnOfToken prints a token fault in err, if there is one, and only once.
func (v *visit) warnOfToken(err error) {
	var fault *client.TokenError
	if errors.As(err, &fault) && !v.warned {
		v.warned = true
		v.warn("warning: " + withoutPackage(fault))
	}
}

// rememberDevice remembers the device. If this fails, it only prints the failure.
func (v *visit) rememberDevice(ctx context.Context, s *client.Session) {
	err := s.Remember(ctx)
	if err == nil {
		return
	}
	v.warn("warning: this device is not remembered: " + explained(err, v.address, uint16(v.build)).text)
	if v.events != nil {
		_ = v.events.tell(notRememberedNews{err})
	}
	_ = heard(ctx, s)
}

// heard waits until the server has handled all earlier messages. It answers in order.
func heard(ctx context.Context, s *client.Session) error { return s.Release(ctx) }

// forgetDevice revokes this device's token at the server and removes the stored token.
// Without a token it sends nothing.
func (v *visit) forgetDevice(ctx context.Context) error {
	if err := v.findAccount(ctx); err != nil {
		return err
	}
	if !v.remembered() {
		return errors.Join(v.store().Forget(strings.ToUpper(v.account)), v.tellForgotten(false))
	}
	s, err := v.signIn(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.ForgetDevice(ctx); err != nil {
		return err
	}
	if err := heard(ctx, s); err != nil {
		return err
	}
	return v.tellForgotten(true)
}

func (v *visit) tellForgotten(had bool) error {
	if v.events != nil {
		return v.events.tell(forgottenNews{had})
	}
	text := "this device was not remembered"
	if had {
		text = "this device is forgotten"
	}
	_, err := fmt.Fprintln(v.cmd.OutOrStdout(), text)
	return err
}
