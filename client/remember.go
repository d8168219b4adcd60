package client

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gatepass/auth/devicetoken"
	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// remembering is a RememberDevice that is out. Its secret is worth nothing before
// the server names the family and its key, so that it is not saved before.
type remembering struct {
	secret [32]byte
	done   []chan error // of one each
}

func (r *remembering) answer(err error) {
	clear(r.secret[:])
	for _, c := range r.done {
		c <- err
	}
}

// Remember asks for a token for this device and stores it, so that the next sign-in
// needs no password. It replaces one that there is. From then on the session does not
// need the password to reconnect and forgets it. The server gives one token for each
// connection: asked again, Remember stores that again; behind ForgetDevice it is
// ErrNoTokens until the session has reconnected.
func (s *Session) Remember(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, ErrTimeout)
	defer cancel()
	done := make(chan error, 1)
	if err := s.call(ctx, func() { s.askToken(done) }); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done(): // what comes is still stored
		return context.Cause(ctx)
	case <-s.done:
		return s.err
	}
}

// askToken sends RememberDevice, unless one is out already.
func (s *Session) askToken(done chan error) {
	switch {
	case s.login == nil:
		done <- ErrAway
		return
	case s.o.Tokens == nil || !s.login.remembers:
		done <- ErrNoTokens
		return
	case s.remember != nil:
		s.remember.done = append(s.remember.done, done)
		return
	case s.login.asked:
		done <- s.keepToken()
		return
	}
	r := &remembering{done: []chan error{done}}
	if err := s.signer.fill(r.secret[:]); err != nil {
		r.answer(err)
		return
	}
	s.remember, s.login.asked = r, true
	verifier := devicetoken.VerifierOf(&r.secret)
	m := &pb.RememberDevice{Name: deviceName(s.o.DeviceName), Verifier: verifier[:]}
	_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{RememberDevice: m}})
}

// takeToken stores what the server has stored.
func (s *Session) takeToken(m *pb.Remembered) error {
	r := s.remember
	if r == nil || len(m.GetFamily()) != 16 || len(m.GetKey()) != 32 {
		return fmt.Errorf("%w: a token", ErrProtocol)
	}
	s.remember = nil
	s.login.token = &Token{
		Device: s.signer.device, Family: [16]byte(m.GetFamily()), Key: [32]byte(m.GetKey()),
		Secret: r.secret, Expires: time.Unix(m.GetExpires(), 0),
	}
	r.answer(s.keepToken())
	return nil
}

// keepToken stores what this connection was given. The password is needed until then.
func (s *Session) keepToken() error {
	if s.login.token == nil {
		return ErrNoTokens
	}
	if err := s.o.Tokens.Save(s.signer.account, *s.login.token); err != nil {
		return fmt.Errorf("client: cannot save the device's token: %w", err)
	}
	s.signer.forgetPassword()
	return nil
}

// ForgetDevice ends this device's token, at the server and in the store. What is
// stored goes even when the server cannot be told; that is said by ErrAway then. The
// session goes on, but cannot reconnect unless it has the password.
func (s *Session) ForgetDevice(ctx context.Context) error {
	if s.o.Tokens == nil {
		return ErrNoTokens
	}
	done := make(chan error, 1)
	if err := s.call(ctx, func() { done <- s.forgetDevice() }); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.done:
		return s.err
	}
}

func (s *Session) forgetDevice() error {
	told := s.say(&pb.ClientFrame{Body: &pb.ClientFrame_ForgetDevice{ForgetDevice: &pb.ForgetDevice{}}})
	if s.login != nil {
		s.login.token = nil
	}
	if err := s.o.Tokens.Forget(s.signer.account); err != nil {
		return fmt.Errorf("client: cannot remove the device's token: %w", err)
	}
	return told
}

// deviceName cuts a name where the protocol's bound is, between two characters.
func deviceName(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= codec.MaxDeviceName {
		return name
	}
	cut := codec.MaxDeviceName
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut]
}
