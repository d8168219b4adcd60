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

// remembering is a RememberDevice without an answer. Its secret cannot be used until the
// server has sent the family and its key, so it is not saved before.
type remembering struct {
	secret [32]byte
	done   []chan error // each has room for one
}

func (r *remembering) answer(err error) {
	clear(r.secret[:])
	for _, c := range r.done {
		c <- err
	}
}

// Remember requests a token for this device and stores it, so that the next sign-in needs
// no password. The session then uses the token to reconnect and wipes the password. A server
// issues one token for each sign-in by password; further calls store the same token again.
// In a session that has signed in by token, Remember requests nothing. If the token cannot
// be stored, it is ended at the server. After that, and after ForgetDevice, Remember
// returns ErrNoTokens until the session has signed in by password again.
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
	case <-ctx.Done(): // a token that arrives later is still stored
		return context.Cause(ctx)
	case <-s.done:
		return s.err
	}
}

// askToken sends RememberDevice, unless one is under way.
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

// takeToken stores the token that the server has issued.
func (s *Session) takeToken(m *pb.Remembered) error {
	r := s.remember
	if r == nil && s.login.forgotten {
		return nil // it was forgotten, so the server has ended it too
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
		// Without this, the list of devices would have a token that nobody has.
		s.login.token, s.login.forgotten = nil, true
		_ = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_ForgetDevice{ForgetDevice: &pb.ForgetDevice{}}})
	}
	r.answer(err)
	return nil
}

// haveToken is Remember for a session that has signed in by token. It does not save the
// token again: another program may have used it since, and saving the older one would
// restore a used secret.
func (s *Session) haveToken() error {
	if s.login.forgotten {
		return ErrNoTokens
	}
	s.signer.forgetPassword()
	return nil
}

// keepToken stores the token of this connection. The password is needed until then.
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

// ForgetDevice ends this device's token at the server and removes it from the store. If the
// server cannot be told, the stored token is still removed and the error is ErrAway. A
// waiting Remember returns ErrNoTokens, and its token is not stored. The session continues,
// but can only reconnect if it has the password.
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

// deviceName cuts a name to the protocol's limit, between two characters.
func deviceName(name string) string {
	return cut(strings.ToValidUTF8(name, "\uFFFD"), codec.MaxDeviceName)
}

// cut cuts a text to at most bound bytes, between two characters. The result does not keep
// the rest in memory.
func cut(text string, bound int) string {
	if len(text) <= bound {
		return text
	}
	for bound > 0 && !utf8.RuneStart(text[bound]) {
		bound--
	}
	return strings.Clone(text[:bound])
}
