package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

const (
	// protocolVersion is the protocol's version that this package implements.
	protocolVersion = 1
	// maxWait is the longest time that a server may make a client wait.
	maxWait = time.Hour
	// maxClearWait is that time for a server that has not proven itself, because anybody on
	// the network path can forge its message.
	maxClearWait = time.Minute
	// minPing and maxPing limit the ping interval that a server may set. Gates close
	// connections that are silent for 5 minutes.
	minPing = time.Second
	maxPing = 2 * time.Minute
)

// signer signs one account in, as often as needed. One goroutine at a time may use it.
type signer struct {
	o       *Options
	address string
	account string // folded
	code    func(context.Context, Factor) (string, error)
	// password is nil if there is none, or if it is no longer needed.
	password *password
	// first is an open connection for the first attempt.
	first net.Conn
	// device is this device's id once it is known; zero without a store.
	device [16]byte
	// unlock releases the token's lock; nil while it is not held.
	unlock func()
	// updates says that an offer may replace a refusal. It is set for Login only, because a
	// reconnecting session has no caller to return the offer to.
	updates bool
	// fault is why the last sign-in did not use the token; nil if it did.
	fault error
}

// login is a connection on which the account is signed in.
type login struct {
	link      *link
	session   [32]byte // the key from which pass keys are derived
	ping      time.Duration
	remembers bool
	byToken   bool
	// asked says that RememberDevice was sent, which may happen once. token is its result;
	// nil before the answer and after the token was forgotten.
	asked bool
	token *Token
	// forgotten says that ForgetDevice was sent afterwards.
	forgotten bool
}

// close closes the connection and wipes the secrets.
func (l *login) close() {
	l.link.close()
	l.wipe()
}

func (l *login) wipe() {
	clear(l.session[:])
	if l.token != nil {
		*l.token = Token{}
	}
}

// signIn signs in by token if there is one that the server accepts, and by password
// otherwise.
func (s *signer) signIn(ctx context.Context) (*login, error) {
	l, over, err := s.byToken(ctx)
	if s.fault = nil; over {
		return l, err
	}
	if fault := (*TokenError)(nil); errors.As(err, &fault) {
		s.fault = fault
	}
	if s.password == nil {
		return nil, err
	}
	l, _, err = s.try(ctx, nil)
	if err != nil && s.fault != nil {
		err = fmt.Errorf("%w (%w)", err, s.fault)
	}
	return l, err
}

// byToken signs in by the token. If over is false, the password must be tried, and err says
// why.
func (s *signer) byToken(ctx context.Context) (l *login, over bool, err error) {
	defer s.letGo()
	token, err := s.holdToken(ctx)
	switch {
	case ctx.Err() != nil:
		return nil, true, context.Cause(ctx)
	case err != nil:
		return nil, false, err
	case !token.usable():
		return nil, false, ErrNoCredentials
	}
	l, accepted, err := s.try(ctx, &token)
	if fault := (*TokenError)(nil); errors.As(err, &fault) {
		return nil, false, err
	}
	if accepted || !errors.Is(err, ErrBadCredentials) {
		return l, true, err
	}
	s.dropToken(&token)
	return nil, false, err
}

// try connects and signs in once. accepted says that the server has accepted the proof,
// even if an error followed. Dial's connection may have been closed since; then try makes a
// new one.
func (s *signer) try(ctx context.Context, token *Token) (l *login, accepted bool, err error) {
	conn := s.first
	if s.first = nil; conn != nil {
		a := s.attempt(conn, token)
		l, err = a.run(ctx)
		if a.answered || !errors.Is(err, ErrLost) {
			return l, a.accepted, err
		}
	}
	if conn, err = dial(ctx, s.o, s.address); err != nil {
		return nil, false, err
	}
	a := s.attempt(conn, token)
	l, err = a.run(ctx)
	return l, a.accepted, err
}

// dial opens a connection within Options.Timeout.
func dial(ctx context.Context, o *Options, address string) (net.Conn, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, o.Timeout, ErrTimeout)
	defer cancel()
	conn, err := o.Dialer.DialContext(bounded, "tcp", address)
	switch {
	case err == nil:
		return conn, nil
	case bounded.Err() != nil:
		return nil, context.Cause(bounded)
	}
	return nil, fmt.Errorf("client: cannot reach the server: %w", err)
}

// attempt is one sign-in on one connection.
type attempt struct {
	*signer
	token  *Token // nil for the password
	link   *link
	login  *login
	nonces keyschedule.Nonces
	// answered says that the server has sent a message, accepted that it has proven itself.
	answered, accepted bool
}

func (s *signer) attempt(conn net.Conn, token *Token) *attempt {
	l := newLink(conn, false, s.o.Timeout)
	return &attempt{signer: s, token: token, link: l, login: &login{link: l, byToken: token != nil}}
}

// run signs in up to the server's Welcome. Its time limit does not include the time in which
// the player types a code.
func (a *attempt) run(ctx context.Context) (*login, error) {
	var wanted *pb.FactorWanted
	err := a.link.bounded(ctx, func(ctx context.Context) (err error) {
		if err = a.prove(ctx); err != nil {
			return err
		}
		wanted, err = a.welcome()
		return err
	})
	if err == nil && wanted != nil {
		err = a.factor(ctx, wanted)
	}
	if offer := (*UpdateOffer)(nil); errors.As(err, &offer) {
		a.login.wipe()
		offer.talk.begin()
		return nil, err
	}
	if err != nil {
		a.login.close()
		return nil, err
	}
	return a.login, nil
}

// prove runs the sign-in from SignIn to Accepted.
func (a *attempt) prove(ctx context.Context) error {
	if err := a.fill(a.nonces.Client[:]); err != nil {
		return err
	}
	if err := a.link.send(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: a.hello()}}); err != nil {
		return err
	}
	f, err := a.hear()
	if err != nil {
		return err
	}
	password, token := f.GetPasswordChallenge(), f.GetTokenChallenge()
	switch {
	case password != nil && a.token == nil:
		return a.provePassword(ctx, password)
	case token != nil && a.token != nil:
		return a.proveToken(token)
	}
	return fmt.Errorf("%w: not a challenge", ErrProtocol)
}

func (a *attempt) hello() *pb.SignIn {
	m := &pb.SignIn{
		Version: protocolVersion, Account: a.account, Nonce: a.nonces.Client[:], Build: uint32(a.o.Build),
		Platform: a.o.Platform, System: a.o.System, Locale: a.o.Locale, TakesUpdates: a.updates,
	}
	if a.device != [16]byte{} {
		m.Device = a.device[:]
	}
	if a.token != nil {
		m.TokenFamily = a.token.Family[:]
	}
	return m
}

// hear returns the server's next message. A refusal is an error.
func (a *attempt) hear() (*pb.ServerFrame, error) {
	f := &pb.ServerFrame{}
	if err := a.link.receive(f); err != nil {
		return nil, err
	}
	a.answered = true
	if r := f.GetRefused(); r != nil {
		return nil, refused(r, a.link.sealed)
	}
	if k := f.GetKicked(); k != nil {
		return nil, kicked(k)
	}
	return f, nil
}

// hearAccepted returns the server's proof. A refusal is an error.
func (a *attempt) hearAccepted() (proof [32]byte, err error) {
	f, err := a.hear()
	if err != nil {
		return proof, err
	}
	m := f.GetAccepted()
	if m == nil || len(m.GetProof()) != len(proof) {
		return proof, fmt.Errorf("%w: neither accepted nor refused", ErrProtocol)
	}
	return [32]byte(m.GetProof()), nil
}

// becomeAccepted starts the sealed channel with the keys and wipes them.
func (a *attempt) becomeAccepted(keys *keyschedule.Keys) {
	a.link.seal(&keys.ToServer, &keys.ToClient)
	a.login.session = keys.Session
	keys.Wipe()
	a.accepted = true
}

// welcome waits for Welcome. It returns the request if the server asks for a second factor,
// and an *UpdateOffer as the error if it offers an update.
func (a *attempt) welcome() (*pb.FactorWanted, error) {
	f, err := a.hear()
	if err != nil {
		return nil, err
	}
	if w := f.GetFactorWanted(); w != nil {
		return w, nil
	}
	if offered := f.GetUpdateOffered(); offered != nil && a.updates {
		return nil, newOffer(a.link, offered)
	}
	w := f.GetWelcome()
	if w == nil {
		return nil, fmt.Errorf("%w: not welcome", ErrProtocol)
	}
	a.login.ping = min(max(milliseconds(w.GetPingEveryMs()), minPing), maxPing)
	a.login.remembers = w.GetRemembers()
	return nil, nil
}

// factor asks the player for the second factor and sends it.
func (a *attempt) factor(ctx context.Context, w *pb.FactorWanted) error {
	if a.code == nil {
		return ErrNoCode
	}
	code, err := a.code(ctx, Factor(w.GetFactor()))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoCode, err)
	}
	answer := &pb.ClientFrame{Body: &pb.ClientFrame_FactorCode{FactorCode: &pb.FactorCode{Code: code}}}
	return a.link.bounded(ctx, func(context.Context) error {
		if err := a.link.send(answer); err != nil {
			return err
		}
		again, err := a.welcome()
		if err == nil && again != nil {
			return fmt.Errorf("%w: a second second factor", ErrProtocol)
		}
		return err
	})
}

// fill fills b with random bytes.
func (s *signer) fill(b []byte) error { return fill(s.o, b) }

func fill(o *Options, b []byte) error {
	if _, err := io.ReadFull(o.Random, b); err != nil {
		return fmt.Errorf("client: no random bytes: %w", err)
	}
	return nil
}

// close closes an unused connection and wipes the secrets.
func (s *signer) close() {
	if s.first != nil {
		_ = s.first.Close()
		s.first = nil
	}
	s.forgetPassword()
}

// forgetPassword wipes the password and what was derived from it.
func (s *signer) forgetPassword() {
	if s.password != nil {
		s.password.forget()
		s.password = nil
	}
}

// refused returns a refusal as an error. Anybody on the network path can forge one that is
// not sealed, so its wait is limited more.
func refused(r *pb.Refused, sealed bool) *RefusedError {
	bound := maxClearWait
	if sealed {
		bound = maxWait
	}
	return &RefusedError{Result: resultOf(r.GetResult()), RetryAfter: min(milliseconds(r.GetRetryAfterMs()), bound)}
}

func kicked(k *pb.Kicked) *RefusedError { return &RefusedError{Result: resultOf(k.GetResult())} }

// resultOf converts the protocol's number, which is equal to codec's (a test compares them).
// Numbers that were added later are refusals too.
func resultOf(r pb.Result) codec.Result {
	if r <= 0 {
		return codec.ResultCount
	}
	return codec.Result(octet(r))
}

func milliseconds(n uint32) time.Duration { return time.Duration(n) * time.Millisecond }
