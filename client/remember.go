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
// needs no password. From then on the session does not need the password to reconnect
// and forgets it. A server gives one token for each sign-in by password: asked again,
// Remember stores that again. A session that is signed in by token has one, which is
// stored; there Remember asks for nothing. A token that cannot be stored is ended at the
// server. Behind that, and behind ForgetDevice, it is ErrNoTokens until the session has
// signed in by password once more.
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
	case s.o.Tokens == nil || !s.login.remembers && !s.login.byToken:
		done <- ErrNoTokens
		return
	case s.login.byToken:
		done <- s.haveToken()
		return
	case s.remember != nil:
		s.remember.done = append(s.remember.done, done)
		return
	case s.login.asked:
		done <- s.keepToken()
		return
	}
	if prober, ok := s.o.Tokens.(TokenProber); ok {
		if err := prober.Probe(s.signer.account); err != nil {
			done <- fmt.Errorf("client: cannot save a token: %w", err)
			return
		}
	}
	r := &remembering{done: []chan error{done}}
	if err := s.signer.fill(r.secret[:]); err != nil {
		r.answer(err)
		return
	}
	s.remember, s.login.asked, s.login.forgotten = r, true, false
	verifier := devicetoken.VerifierOf(&r.secret)
	m := &pb.RememberDevice{Name: deviceName(s.o.DeviceName), Verifier: verifier[:]}
	_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{RememberDevice: m}})
}

// takeToken stores what the server has stored.
func (s *Session) takeToken(m *pb.Remembered) error {
	r := s.remember
	if r == nil && s.login.forgotten {
		return nil // the server, too, has ended it since
	}
	if r == nil || len(m.GetFamily()) != 16 || len(m.GetKey()) != 32 {
		return fmt.Errorf("%w: a token", ErrProtocol)
	}
	s.remember = nil
	s.login.token = &Token{
		Device: s.signer.device, Family: [16]byte(m.GetFamily()), Key: [32]byte(m.GetKey()),
		Secret: r.secret, Expires: time.Unix(m.GetExpires(), 0),
	}
	err := s.keepToken()
	if err != nil {
		// Nobody has the token: it would stand in the list of devices for nothing.
		s.login.token, s.login.forgotten = nil, true
		_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_ForgetDevice{ForgetDevice: &pb.ForgetDevice{}}})
	}
	r.answer(err)
	return nil
}

// haveToken is what Remember comes to where the token has signed in. It is not saved
// again: it is stored, and another program may have used it since; who then brings
// back the older one brings back a secret that was used.
func (s *Session) haveToken() error {
	if s.login.forgotten {
		return ErrNoTokens
	}
	s.signer.forgetPassword()
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
// stored goes even when the server cannot be told; that is said by ErrAway then. A
// Remember that waits gets ErrNoTokens, and what the server answers to it is not
// stored. The session goes on, but cannot reconnect unless it has the password.
func (s *Session) ForgetDevice(ctx context.Context) error {
	if s.o.Tokens == nil {
		return ErrNoTokens
	}
	done := make(chan error, 1)
	if err := s.call(ctx, func() { s.whenSettled(func() { done <- s.forgetDevice() }) }); err != nil {
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
		s.login.token, s.login.forgotten = nil, true
	}
	if s.remember != nil {
		s.remember.answer(ErrNoTokens)
		s.remember = nil
	}
	if err := s.o.Tokens.Forget(s.signer.account); err != nil {
		return fmt.Errorf("client: cannot remove the device's token: %w", err)
	}
	return told
}

// deviceName cuts a name where the protocol's bound is, between two characters.
func deviceName(name string) string {
	return cut(strings.ToValidUTF8(name, "\uFFFD"), codec.MaxDeviceName)
}

// cut ends a text between two characters where the bound is, in bytes. Nothing of the
// rest is kept in memory by it.
func cut(text string, bound int) string {
	if len(text) <= bound {
		return text
	}
	for bound > 0 && !utf8.RuneStart(text[bound]) {
		bound--
	}
	return strings.Clone(text[:bound])
}
