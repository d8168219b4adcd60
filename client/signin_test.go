package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/auth/srp6a"
	"gatepass/client"
	"gatepass/codec"
)

// bubble runs f where time jumps and no goroutine may be left behind.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestLogin_ByPasswordSeesTheWorlds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		s := f.mustLogin(t, f.options())
		list := s.Worlds().All()
		if len(list) != 2 || list[0].Name != "Ash" || list[0].Kind != client.KindPvP || list[0].Population != 40 || !list[0].Enterable() {
			t.Fatalf("got %+v", list)
		}
		if w, ok := s.Worlds().Get(2); !ok || w.Status != client.StatusOffline || w.Enterable() {
			t.Fatalf("got %+v %t", w, ok)
		}
		if s.Worlds().Stale() || s.Worlds().Version() == 0 || s.Err() != nil {
			t.Fatal("not fresh")
		}
	})
}

func TestLogin_RefusalsAreTyped(t *testing.T) {
	refuse := func(r codec.Result, retry time.Duration) func(*peer, step) verdict {
		return func(p *peer, s step) verdict {
			if s == stepHeardHello {
				p.refuse(r, retry)
				return hangUp
			}
			return proceed
		}
	}
	for result, want := range map[codec.Result]error{
		codec.ResultBadCredentials: client.ErrBadCredentials, codec.ResultBanned: client.ErrBanned,
		codec.ResultVersionInvalid: client.ErrVersion, codec.ResultBusy: client.ErrBusy,
	} {
		bubble(t, result.String(), func(t *testing.T) {
			f := newFake()
			f.at = refuse(result, 3*time.Second)
			_, err := f.login(t, f.options(), credentials())
			wantErr(t, err, want)
			var r *client.RefusedError
			if !errors.As(err, &r) || r.RetryAfter != 3*time.Second || errors.Is(err, client.ErrKicked) {
				t.Fatalf("got %v", err)
			}
		})
	}
	bubble(t, "wrong password", func(t *testing.T) {
		f := newFake()
		_, err := f.login(t, f.options(), client.Credentials{Account: "ana", Password: "wrong"})
		wantErr(t, err, client.ErrBadCredentials)
	})
}

// Before the server has proven itself, anybody may have sent a refusal.
func TestLogin_ARefusalInTheClearBindsForAMinute(t *testing.T) {
	for at, want := range map[step]time.Duration{
		stepHeardHello: time.Minute, stepHeardProof: time.Minute, stepAccepted: time.Hour,
	} {
		bubble(t, string(at), func(t *testing.T) {
			f := newFake()
			f.at = func(p *peer, s step) verdict {
				if s == at {
					p.refuse(codec.ResultBusy, 100*time.Hour)
					return hangUp
				}
				return proceed
			}
			_, err := f.login(t, f.options(), credentials())
			var r *client.RefusedError
			if !errors.As(err, &r) || r.RetryAfter != want {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestLogin_NamesAreCheckedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		for _, name := range []string{"", " ana", "a:b", "änne", strings.Repeat("x", 17), "a\x00b"} {
			_, err := f.login(t, f.options(), client.Credentials{Account: name, Password: password})
			wantErr(t, err, client.ErrAccount)
		}
		_, err := f.login(t, f.options(), client.Credentials{Account: "ana"})
		wantErr(t, err, client.ErrNoCredentials)
	})
}

// A server that does not know the verifier cannot make M2, and is not believed.
func TestLogin_AServerWithoutTheVerifierIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.at = func(p *peer, s step) verdict {
			if s == stepProven {
				return flipNext // the last byte of Accepted is of M2
			}
			return proceed
		}
		_, err := f.login(t, f.options(), credentials())
		wantErr(t, err, client.ErrServerProof)
	})
}

func TestLogin_TheKDFIsBounded(t *testing.T) {
	for name, kdf := range map[string]srp6a.KDF{
		"weak":   {MemoryKiB: 8, Passes: 1, Lanes: 1},
		"greedy": {MemoryKiB: 1 << 20, Passes: 1, Lanes: 1},
		"slow":   {MemoryKiB: 8 << 10, Passes: 1 << 20, Lanes: 1},
		"ours":   {MemoryKiB: 33 << 10, Passes: 1, Lanes: 1},
	} {
		bubble(t, name, func(t *testing.T) {
			f := newFake()
			f.verifier.KDF = kdf
			o := f.options()
			o.MaxKDF = 32 << 20
			_, err := f.login(t, o, credentials())
			wantErr(t, err, client.ErrKDF)
		})
	}
}

// Memory and passes that would each do are too much together.
func TestLogin_TheKDFsWorkIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.verifier.KDF = srp6a.KDF{MemoryKiB: 256 << 10, Passes: 5, Lanes: 1}
		_, err := f.login(t, f.options(), credentials())
		wantErr(t, err, client.ErrKDF)
	})
}

// A server that asks for the password by another salt or cost than before gets no
// derivation of it, and the session ends.
func TestSession_AnotherChallengeIsAnotherServer(t *testing.T) {
	for name, change := range map[string]func(*srp6a.Verifier){
		"salt":   func(v *srp6a.Verifier) { v.Salt[0]++ },
		"passes": func(v *srp6a.Verifier) { v.KDF.Passes++ },
		"memory": func(v *srp6a.Verifier) { v.KDF.MemoryKiB++ },
	} {
		bubble(t, name, func(t *testing.T) {
			f := newFake()
			f.after = func(*peer) { change(&f.verifier) }
			f.at = func(p *peer, s step) verdict {
				if p.number > 1 && s == stepHeardProof {
					t.Error("the password was used")
				}
				return proceed
			}
			s := f.mustLogin(t, f.options())
			ended(t, s)
			wantErr(t, s.Err(), client.ErrServerProof)
			if f.dials != 2 {
				t.Errorf("%d dials", f.dials)
			}
		})
	}
}

func TestLogin_TheSecondFactorIsAskedFor(t *testing.T) {
	ask := func(t *testing.T, f *fake, code func(context.Context, client.Factor) (string, error)) error {
		s, err := f.login(t, f.options(), client.Credentials{Account: account, Password: password, Code: code})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.factor, f.code = codec.FactorToken, "123456"
		slow := func(_ context.Context, factor client.Factor) (string, error) {
			time.Sleep(5 * time.Minute) // far beyond Timeout: people are slow
			if factor != client.FactorTOTP {
				t.Errorf("asked for %v", factor)
			}
			return "123456", nil
		}
		if err := ask(t, f, slow); err != nil {
			t.Fatal(err)
		}
		wantErr(t, ask(t, f, func(context.Context, client.Factor) (string, error) { return "000000", nil }), client.ErrBadCredentials)
		wantErr(t, ask(t, f, nil), client.ErrNoCode)
		gone := errors.New("the player has gone")
		err := ask(t, f, func(context.Context, client.Factor) (string, error) { return "", gone })
		wantErr(t, err, client.ErrNoCode)
		wantErr(t, err, gone)
	})
}

// Wherever the server breaks off, Login says so in time, leaves nothing behind, and
// the next one works.
func TestLogin_FaultsAtEachStep(t *testing.T) {
	for _, fault := range []verdict{hangUp, stall, flipNext, halveNext} {
		for _, at := range loginSteps[:len(loginSteps)-1] {
			if fault == flipNext && (at == stepHeardHello || at == stepConnected || at == stepHeardProof) {
				continue // a changed challenge is the next test's, the others send nothing
			}
			bubble(t, fmt.Sprintf("%d %s", fault, at), func(t *testing.T) {
				f := newFake()
				broken := true
				f.at = func(_ *peer, s step) verdict {
					if broken && s == at {
						return fault
					}
					return proceed
				}
				start := time.Now()
				s, err := f.login(t, f.options(), credentials())
				if err == nil && (fault == hangUp || fault == stall) {
					t.Fatal("signed in nowhere")
				}
				if s != nil {
					s.Close()
				}
				if took := time.Since(start); took > 35*time.Second {
					t.Fatalf("it took %v", took)
				}
				synctest.Wait()
				broken = false
				f.mustLogin(t, f.options()).Close()
			})
		}
	}
}

// What was said in the clear is in the keys: a changed challenge shows.
func TestLogin_AChangedChallengeShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.at = func(_ *peer, s step) verdict {
			if s == stepHeardHello {
				return flipNext
			}
			return proceed
		}
		_, err := f.login(t, f.options(), credentials())
		wantErr(t, err, client.ErrBadCredentials) // of the fake: the last byte is of B
	})
}

func TestLogin_TheContextEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.at = func(_ *peer, s step) verdict {
			if s == stepHeardHello {
				return stall
			}
			return proceed
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := f.loginWithin(t, ctx, f.options(), credentials())
		wantErr(t, err, context.DeadlineExceeded)
		if took := time.Since(start); took != time.Second {
			t.Fatalf("it took %v", took)
		}
	})
}

// A connection that was dialled long before the player has typed a password may be
// closed by then: Login makes another.
func TestLogin_AStaleFirstConnectionIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.at = func(p *peer, s step) verdict {
			if p.number == 1 && s == stepConnected {
				return hangUp
			}
			return proceed
		}
		f.mustLogin(t, f.options())
		if f.dials != 2 {
			t.Fatalf("%d dials", f.dials)
		}
	})
}

func TestDial_OptionsAreChecked(t *testing.T) {
	_, err := client.Dial(t.Context(), "login", client.Options{Platform: "too long", Backoff: client.Backoff{Min: 2, Max: 1}})
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Fatalf("got %v", err)
	}
}

// A frame that is announced longer than any is refused before it is read.
func TestLogin_AFrameTooLongIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.at = func(p *peer, s step) verdict {
			if s == stepHeardHello {
				_, _ = p.Write([]byte{0xff, 0xff, 0xff, 0x7f})
				return stall
			}
			return proceed
		}
		_, err := f.login(t, f.options(), credentials())
		wantErr(t, err, client.ErrProtocol)
	})
}

func TestLogin_NoRandomNoSignIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		o := f.options()
		o.Random = strings.NewReader("too short")
		_, err := f.login(t, o, credentials())
		wantErr(t, err, io.ErrUnexpectedEOF)
	})
}
