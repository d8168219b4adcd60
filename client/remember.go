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
// need the password to reconnect and forgets it.
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
	}
	r := &remembering{done: []chan error{done}}
	if err := s.signer.fill(r.secret[:]); err != nil {
		r.answer(err)
		return
	}
	s.remember = r
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
	t := Token{
		Device: s.signer.device, Family: [16]byte(m.GetFamily()), Key: [32]byte(m.GetKey()),
		Secret: r.secret, Expires: time.Unix(m.GetExpires(), 0),
	}
	err := s.o.Tokens.Save(s.signer.account, t)
	if err == nil {
		s.signer.forgetPassword()
	}
	r.answer(err)
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
	if err := s.o.Tokens.Forget(s.signer.account); err != nil {
		return err
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
