package client_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"gatepass/client"
	"gatepass/codec"
)

// memory is a store that can be made to fail and remembers what it was told.
type memory struct {
	mu     sync.Mutex
	tokens map[string]client.Token
	saves  int
	// fail is asked at every Save: lost says that nothing is stored, err is returned.
	fail func(save int) (lost bool, err error)
}

func newMemory() *memory { return &memory{tokens: map[string]client.Token{}} }

func (m *memory) Load(account string) (client.Token, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.tokens[account]
	if !ok {
		return client.Token{}, client.ErrNoToken
	}
	return t, nil
}

func (m *memory) Save(account string, t client.Token) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saves++
	if m.fail != nil {
		if lost, err := m.fail(m.saves); lost {
			return err
		} else if err != nil {
			m.tokens[account] = t
			return err
		}
	}
	m.tokens[account] = t
	return nil
}

func (m *memory) Forget(account string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tokens, account)
	return nil
}

func (m *memory) token() client.Token {
	t, _ := m.Load(account)
	return t
}

// remembered is a fake that has remembered a device with this store.
func remembered(t testing.TB, store client.TokenStore) (*fake, client.Options) {
	t.Helper()
	f := newFake()
	o := f.options()
	o.Tokens, o.Remember, o.DeviceName = store, true, strings.Repeat("long näme ", 9)
	s, err := f.login(t, o, credentials())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	return f, o
}

func TestToken_SignsInWithoutAPassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		seen := map[[32]byte]bool{}
		for range 5 {
			before := store.token()
			if seen[before.Secret] || before.Next != [32]byte{} {
				t.Fatal("a secret is used twice, or not settled")
			}
			seen[before.Secret] = true
			s, err := f.login(t, o, client.Credentials{Account: "ana"})
			if err != nil {
				t.Fatal(err)
			}
			s.Close()
		}
		if f.byToken != 5 || f.revoked {
			t.Fatalf("%d by token, revoked %t", f.byToken, f.revoked)
		}
	})
}

func TestToken_TheSessionReconnectsByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		f.after = func(p *peer) {
			if p.number < 4 {
				return
			}
			p.pongs()
		}
		s := f.mustLogin(t, o)
		event[client.Reconnected](t, s)
		event[client.Reconnected](t, s)
		if f.byToken != 3 {
			t.Fatalf("%d by token", f.byToken)
		}
	})
}

// crash breaks a sign-in by token off at one place.
type crash struct {
	name string
	at   step
	save int // the Save that fails, of this sign-in; 0 for none
	lost bool
}

func crashes() (all []crash) {
	for _, s := range loginSteps {
		all = append(all, crash{name: string(s), at: s})
	}
	for save := 1; save <= 2; save++ {
		for _, lost := range []bool{true, false} {
			all = append(all, crash{name: fmt.Sprintf("save %d, lost %t", save, lost), save: save, lost: lost})
		}
	}
	return all
}

var errDisk = errors.New("the disk is gone")

// breakOff signs in with the crash.
func breakOff(t testing.TB, f *fake, store *memory, o client.Options, c crash) {
	t.Helper()
	f.setAt(atStep(c.at, hangUp, func(int) bool { return true }))
	first := store.saves
	store.fail = func(save int) (bool, error) {
		if save == first+c.save {
			return c.lost, errDisk
		}
		return false, nil
	}
	o.Backoff = client.Backoff{Min: 1 << 50, Max: 1 << 50}
	s, err := f.login(t, o, client.Credentials{Account: account})
	if err == nil {
		s.Close()
	}
	f.setAt(faultless)
	store.fail = nil
}

// stillLetsIn signs in without a fault, by token, and finds all settled.
func stillLetsIn(t testing.TB, f *fake, store *memory, o client.Options) error {
	before := f.byToken
	if err := f.signInAndOut(t, o); err != nil {
		return fmt.Errorf("the token was lost: %w", err)
	}
	if f.byToken != before+1 || f.revoked {
		return fmt.Errorf("not by token, or revoked (%t)", f.revoked)
	}
	if token := store.token(); token.Next != [32]byte{} {
		return errors.New("not settled")
	}
	return nil
}

func wantNoLoss(t testing.TB, f *fake, store *memory, o client.Options) {
	t.Helper()
	if err := stillLetsIn(t, f, store, o); err != nil {
		t.Fatal(err)
	}
}

// Wherever a sign-in breaks off, on the wire or on the disk, the next one gets in by
// token, and nothing looks like a theft.
func TestToken_ACrashAtAnyStepLosesNothing(t *testing.T) {
	for _, c := range crashes() {
		bubble(t, c.name, func(t *testing.T) {
			store := newMemory()
			f, o := remembered(t, store)
			breakOff(t, f, store, o, c)
			wantNoLoss(t, f, store, o)
		})
	}
}

// So it is after any row of crashes.
func TestToken_ARowOfCrashesLosesNothing(t *testing.T) {
	store := newMemory()
	f, o := remembered(t, store)
	rapid.Check(t, func(r *rapid.T) {
		row := rapid.SliceOfN(rapid.SampledFrom(crashes()), 1, 6).Draw(r, "crashes")
		var err error
		synctest.Test(t, func(t *testing.T) {
			for _, c := range row {
				breakOff(t, f, store, o, c)
			}
			err = stillLetsIn(t, f, store, o)
		})
		if err != nil {
			r.Fatal(err)
		}
	})
}

func (f *fake) signInAndOut(t testing.TB, o client.Options) error {
	s, err := f.login(t, o, client.Credentials{Account: account})
	if err == nil {
		err = s.Close()
	}
	return err
}

// A token that the server does not take is forgotten, the device is not, and the
// password is used; then the device is remembered anew.
func TestToken_RefusedFallsBackToThePassword(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		old := store.token()
		f.family = [16]byte{} // revoked by its owner
		err := f.signInAndOut(t, o)
		wantErr(t, err, client.ErrBadCredentials)
		if now := store.token(); now.Family != [16]byte{} || now.Device != old.Device {
			t.Fatal("the token was kept, or the device's id was not")
		}
		f.mustLogin(t, o).Close()
		if now := store.token(); now.Family == [16]byte{} || now.Device != old.Device || now.Secret == old.Secret {
			t.Fatal("not remembered anew")
		}
	})
}

// A copy of the token ends it for both: the one who comes second shows a used secret.
func TestToken_ACopyIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, thief := newMemory(), newMemory()
		f, o := remembered(t, store)
		thief.tokens[account] = store.token()
		stolen := o
		stolen.Tokens = thief
		if err := f.signInAndOut(t, stolen); err != nil {
			t.Fatal(err)
		}
		wantErr(t, f.signInAndOut(t, o), client.ErrBadCredentials)
		if !f.revoked {
			t.Fatal("not revoked")
		}
		wantErr(t, f.signInAndOut(t, stolen), client.ErrBadCredentials)
	})
}

// What is refused behind the proof is not the token.
func TestToken_ALaterRefusalKeepsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		f.setAt(func(p *peer, s step) verdict {
			if s == stepAccepted {
				p.refuse(codec.ResultBadCredentials, 0)
				return hangUp
			}
			return proceed
		})
		wantErr(t, f.signInAndOut(t, o), client.ErrBadCredentials)
		f.setAt(faultless)
		wantNoLoss(t, f, store, o)
	})
}

// A server that has not the token's key is not believed, and the token is kept.
func TestToken_AServerWithoutTheKeyIsFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		f.setAt(atStep(stepProven, flipNext, func(int) bool { return true }))
		wantErr(t, f.signInAndOut(t, o), client.ErrServerProof)
		f.setAt(faultless)
		wantNoLoss(t, f, store, o)
	})
}

// Who loses the race for one token hears that the server is busy, and shows both
// secrets next time.
func TestToken_ALostRaceIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		f.setAt(func(p *peer, s step) verdict {
			if s == stepHeardProof {
				p.refuse(codec.ResultBusy, 0)
				return hangUp
			}
			return proceed
		})
		wantErr(t, f.signInAndOut(t, o), client.ErrBusy)
		if now := store.token(); now.Next == [32]byte{} {
			t.Fatal("the second secret was dropped")
		}
		f.setAt(faultless)
		wantNoLoss(t, f, store, o)
	})
}

func TestSecrets_AreNotShown(t *testing.T) {
	token := client.Token{Secret: [32]byte{0xab, 0xcd}, Key: [32]byte{0xab, 0xcd}}
	who := client.Credentials{Account: "ana", Password: "hunter2"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		shown := fmt.Sprintf(verb+verb+verb, token, &token, who)
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "171") || strings.Contains(shown, "abcd") || strings.Contains(shown, "0xab") {
			t.Errorf("%s shows %s", verb, shown)
		}
	}
	if (&client.RefusedError{Result: codec.ResultBusy}).Error() != "client: refused: busy" {
		t.Error(client.ErrBusy)
	}
}
