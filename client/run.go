package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// errSkipped: a change of the list does not apply to the current one. A new sign-in brings
// the whole list.
var errSkipped = errors.New("client: a change of the list was missed")

// incoming is a message from a connection's reader, or the reason of its end.
type incoming struct {
	frame *pb.ServerFrame
	err   error
}

// run is the session's goroutine. It serves the connection, and reconnects, until the
// session ends.
func (s *Session) run(l *login) {
	for {
		since := time.Now()
		reason := s.serve(l)
		if time.Since(since) > s.o.Backoff.Max {
			s.tries = 0
		}
		if l, reason = s.comeBack(reason); l == nil {
			s.end(reason)
			return
		}
	}
}

// end ends the session. Only run calls it.
func (s *Session) end(reason error) {
	s.err = reason
	s.signer.close()
	s.worlds.setStale()
	close(s.done)
	s.events.close()
}

// serve serves one connection until it ends, and returns the reason.
func (s *Session) serve(l *login) error {
	s.login = l
	s.catchUp()
	frames, stop, gone := make(chan incoming), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		read(l, frames, stop)
	}()
	reason := s.work(frames)
	s.login = nil
	close(stop)
	l.close()
	<-gone
	s.forsake(reason)
	return reason
}

// read is the goroutine that reads from a connection.
func read(l *login, to chan<- incoming, stop <-chan struct{}) {
	for {
		in := incoming{frame: &pb.ServerFrame{}}
		if in.err = l.link.patience(l.ping); in.err == nil {
			in.err = l.link.receive(in.frame)
		}
		select {
		case to <- in:
		case <-stop:
			return
		}
		if in.err != nil {
			return
		}
	}
}

// work handles messages, calls and pings of one connection until it ends.
func (s *Session) work(frames <-chan incoming) error {
	ticker := time.NewTicker(s.login.ping)
	defer ticker.Stop()
	for {
		var err error
		select {
		case in := <-frames:
			if err = in.err; err == nil {
				err = s.take(in.frame)
			}
		case f := <-s.calls:
			f()
		case <-ticker.C:
			s.pings++
			err = s.say(&pb.ClientFrame{Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{Number: s.pings}}})
		case <-s.quit:
			return ErrClosed
		}
		if err != nil {
			return err
		}
	}
}

// say sends a message on the current connection. An error closes the connection, so the
// reader fails too, and callers may ignore the error.
func (s *Session) say(m *pb.ClientFrame) error {
	if s.login == nil {
		return ErrAway
	}
	err := s.login.link.send(m)
	if err != nil {
		s.login.link.close()
	}
	return err
}

// forsake answers all calls that wait for the connection that has ended.
func (s *Session) forsake(reason error) {
	if !final(reason) {
		reason = ErrAway
	}
	s.pick.reset(reason)
	s.board = board{counts: s.board.counts}
	s.worlds.setStale()
	if s.remember != nil {
		s.remember.answer(reason)
		s.remember = nil
	}
}

// comeBack tries to sign in until it succeeds or an error is final, which it returns. A
// session that has no list yet does not reconnect, because Login still waits for it.
func (s *Session) comeBack(reason error) (*login, error) {
	for {
		if final(reason) || !s.isListed() {
			return nil, reason
		}
		s.o.Logger.Info("the login connection is lost", "reason", reason)
		if err := s.wait(reason); err != nil {
			return nil, err
		}
		s.tries++
		l, err := s.signInAside()
		if err == nil {
			s.events.push(Reconnected{})
			return l, nil
		}
		reason = err
	}
}

func (s *Session) isListed() bool {
	select {
	case <-s.listed:
		return true
	default:
		return false
	}
}

// wait waits until the player has left the world, and then for the pause.
func (s *Session) wait(reason error) error {
	for {
		if err := s.waitOutside(reason); err != nil {
			return err
		}
		pause, err := s.pause(reason)
		if err != nil {
			return err
		}
		s.events.push(Disconnected{Reason: reason, Retry: pause})
		if err := s.idleFor(pause); err != nil {
			return err
		}
		if held, _ := s.gate.held(); !held {
			return nil
		}
	}
}

func (s *Session) waitOutside(reason error) error {
	held, free := s.gate.held()
	if !held {
		return nil
	}
	s.events.push(Disconnected{Reason: reason, Held: true})
	return s.idle(free)
}

func (s *Session) idleFor(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	return idleUntil(s, timer.C)
}

func (s *Session) idle(until <-chan struct{}) error { return idleUntil(s, until) }

// idleUntil answers calls until the channel delivers. They find no connection.
func idleUntil[T any](s *Session, until <-chan T) error {
	for {
		select {
		case <-until:
			return nil
		case f := <-s.calls:
			f()
		case <-s.quit:
			return ErrClosed
		}
	}
}

// signInAside signs in on another goroutine, while calls are answered.
func (s *Session) signInAside() (*login, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var l *login
	var err error
	s.signing = true
	signed := make(chan struct{})
	go func() {
		defer close(signed)
		l, err = s.signer.signIn(ctx)
	}()
	over := s.idle(signed)
	if over != nil {
		cancel()
		<-signed
		if l != nil {
			l.close()
		}
		l, err = nil, over
	}
	if s.signing = false; l == nil {
		s.catchUp()
	}
	return l, err
}

// whenSettled calls f, which uses the store of tokens. During a sign-in it calls f after it,
// because the sign-in uses the store too.
func (s *Session) whenSettled(f func()) {
	if s.signing {
		s.behind = append(s.behind, f)
		return
	}
	f()
}

// catchUp calls the functions that have waited for a sign-in.
func (s *Session) catchUp() {
	for _, f := range s.behind {
		f()
	}
	s.behind = nil
}

// pause returns how long to wait before the next attempt: until the time that the server
// has given, or a random time below a bound that doubles.
func (s *Session) pause(reason error) (time.Duration, error) {
	if told := time.Until(s.backAt); told > 0 {
		s.backAt = time.Time{}
		return told, nil
	}
	return jittered(s.o, s.tries, reason)
}

// jittered returns a random wait after so many attempts, plus the reason's RetryAfter.
func jittered(o *Options, tries int, reason error) (time.Duration, error) {
	jitter, err := rand.Int(o.Random, big.NewInt(int64(o.Backoff.bound(tries))+1))
	if err != nil {
		return 0, fmt.Errorf("client: no random bytes: %w", err)
	}
	pause := time.Duration(jitter.Int64())
	if r := (*RefusedError)(nil); errors.As(reason, &r) {
		pause += r.RetryAfter
	}
	return pause, nil
}

// final reports whether another attempt would fail for the same reason.
func final(reason error) bool {
	for _, e := range []error{ErrClosed, ErrServerProof, ErrKDF, ErrNoCredentials, ErrNoCode} {
		if errors.Is(reason, e) {
			return true
		}
	}
	r := (*RefusedError)(nil)
	return errors.As(reason, &r) && forGood(r.Result)
}

// forGood reports whether another attempt would be refused again. Unknown results and those
// that may change with time are not final.
func forGood(r codec.Result) bool {
	switch r {
	case codec.ResultBadCredentials, codec.ResultBanned, codec.ResultSuspended, codec.ResultLocked,
		codec.ResultVersionInvalid, codec.ResultVersionUpdate, codec.ResultNoAccess,
		codec.ResultReplaced, codec.ResultKicked:
		return true
	}
	return false
}
