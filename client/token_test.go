package client_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

func TestSession_ForgetDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		s := f.mustLogin(t, o)
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(store.tokens) != 0 || f.family != [16]byte{} {
			t.Fatal("not forgotten")
		}
		wantErr(t, newFake().mustLogin(t, newFake().options()).ForgetDevice(t.Context()), client.ErrNoTokens)
	})
}

// Who has signed in by token has one: nothing is asked for nor saved.
func TestSession_RememberWithATokenAsksForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		s := f.mustLogin(t, o)
		before := store.saves
		for range 2 {
			if err := s.Remember(t.Context()); err != nil || store.saves != before {
				t.Fatalf("%d saves, %v", store.saves-before, err)
			}
		}
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
		if err := s.Release(t.Context()); err != nil || f.asked[2] || len(store.tokens) != 0 {
			t.Fatalf("asked %t, stored %d: %v", f.asked[2], len(store.tokens), err)
		}
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

// What is forgotten while the server is still asked for it stays forgotten.
func TestSession_ForgetDeviceWhileItIsBeingRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, f := newMemory(), newFake()
		asked := make(chan struct{})
		f.after = script(func(p *peer) {
			m, _ := p.hear()
			close(asked)
			if forget, _ := p.hear(); forget.Kind != codec.KindForgetDevice {
				t.Errorf("got %v", forget.Kind)
			}
			p.remember(&m)
		})
		o := f.options()
		o.Tokens = store
		s := f.mustLogin(t, o)
		answer := make(chan error, 1)
		go func() { answer <- s.Remember(t.Context()) }()
		<-asked
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, <-answer, client.ErrNoTokens)
		if err := s.Release(t.Context()); err != nil { // behind the server's late answer
			t.Fatal(err)
		}
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
		if store.saves != 0 || f.dials != 1 {
			t.Fatalf("%d saves, %d dials", store.saves, f.dials)
		}
	})
}

// A sign-in under way saves the token that it uses: forgetting waits for its end.
func TestSession_ForgetDeviceWhileSigningInAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f, o := remembered(t, store)
		proven, goOn := make(chan struct{}), make(chan struct{})
		f.setAt(func(p *peer, s step) verdict {
			if p.number == 2 && s == stepListed {
				return hangUp
			}
			if p.number == 3 && s == stepProven {
				close(proven)
				<-goOn
			}
			return proceed
		})
		s := f.mustLogin(t, o)
		<-proven
		answer := make(chan error, 1)
		go func() { answer <- s.ForgetDevice(t.Context()) }()
		synctest.Wait()
		close(goOn)
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(store.tokens) != 0 || f.family != [16]byte{} {
			t.Fatal("not forgotten")
		}
	})
}

// A connection may ask once: what it was given is stored again, until it is forgotten.
// What cannot be stored is ended at the server.
func TestSession_RememberAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		f := newFake()
		o := f.options()
		o.Tokens = store
		s := f.mustLogin(t, o)
		store.fail = func(save int) (bool, error) { return true, errDisk }
		wantErr(t, s.Remember(t.Context()), errDisk)
		store.fail = nil
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
		if synctest.Wait(); f.family != [16]byte{} {
			t.Fatal("the server keeps a token that nobody has")
		}
		s.Close()
		s = f.mustLogin(t, o)
		for range 2 {
			if err := s.Remember(t.Context()); err != nil || store.token().Family != f.family {
				t.Fatalf("not stored: %v", err)
			}
		}
		if err := s.ForgetDevice(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, s.Remember(t.Context()), client.ErrNoTokens)
	})
}

func TestSession_RememberWhereNobodyDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.remembers = false
		o := f.options()
		o.Tokens, o.Remember = newMemory(), true
		wantErr(t, f.mustLogin(t, o).Remember(t.Context()), client.ErrNoTokens)
	})
}

func TestFileTokens_KeepsWhatItIsGiven(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when needed")
	store := client.NewFileTokens(dir)
	if _, err := store.Load(account); !errors.Is(err, client.ErrNoToken) {
		t.Fatal(err)
	}
	if err := store.Forget(account); err != nil {
		t.Fatal(err)
	}
	memory := newMemory()
	synctest.Test(t, func(t *testing.T) { remembered(t, memory) })
	for _, token := range []client.Token{memory.token(), {Device: [16]byte{1}}, withNext(memory.token())} {
		if err := store.Save("../"+account, token); err != nil {
			t.Fatal(err)
		}
		if got, err := store.Load("../" + account); err != nil || got != token {
			t.Fatalf("another one came back: %v", err)
		}
	}
	checkFolder(t, dir)
	leaveHalf(t, dir)
	if got, err := store.Load("../" + account); err != nil || got != withNext(memory.token()) {
		t.Fatalf("a crash while saving changed what there was: %v", err)
	}
	if err := store.Save("../"+account, memory.token()); err != nil {
		t.Fatal(err)
	}
	checkFolder(t, dir)
	if err := store.Forget("../" + account); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load("../" + account); !errors.Is(err, client.ErrNoToken) {
		t.Fatal(err)
	}
}

func withNext(t client.Token) client.Token {
	t.Next = [32]byte{9}
	return t
}

// leaveHalf does what a crash in the middle of Save leaves.
func leaveHalf(t *testing.T, dir string) {
	t.Helper()
	entries, _ := os.ReadDir(dir)
	half := filepath.Join(dir, entries[0].Name()+".1.new")
	if err := os.WriteFile(half, []byte(`{"for`), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(half, long, long); err != nil {
		t.Fatal(err)
	}
}

// checkFolder wants one file, for its owner only.
func checkFolder(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	file, _ := entries[0].Info()
	folder, _ := os.Stat(dir)
	if file.Mode() != 0o600 || folder.Mode().Perm() != 0o700 {
		t.Fatalf("modes %v, %v", file.Mode(), folder.Mode())
	}
}

func TestFileTokens_DamageIsNotForgetting(t *testing.T) {
	dir := t.TempDir()
	store := client.NewFileTokens(dir)
	if err := store.Save(account, client.Token{Device: [16]byte{1}, Family: [16]byte{2}}); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	path := filepath.Join(dir, entries[0].Name())
	whole, _ := os.ReadFile(path)
	for _, damaged := range []string{"", "{", `{"format":2}`, strings.Replace(string(whole), "02", "0", 1), strings.Repeat(" ", 1<<20)} {
		if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Load(account); err == nil || errors.Is(err, client.ErrNoToken) {
			t.Fatalf("%.20q gave %v", damaged, err)
		}
	}
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
