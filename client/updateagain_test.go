package client_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/auth/keyschedule"
	"gatepass/client"
	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// updateBy dials, signs in and has the client see to it that the file comes.
func (f *fake) updateBy(t *testing.T, o client.Options, d client.DownloadOptions) (string, error) {
	t.Helper()
	c, err := client.Dial(t.Context(), "login", o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Login(t.Context(), credentials())
	var offer *client.UpdateOffer
	if s != nil || !errors.As(err, &offer) {
		t.Fatalf("got %v", err)
	}
	return c.Update(t.Context(), credentials(), offer, d)
}

// A way that breaks again and again, in every manner, brings the file in the end.
func TestClient_UpdateGoesOnByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, try := someFile(1_956_789, 1), atomic.Int64{}
		f := updating(file, func(u *updater) {
			n := try.Add(1)
			m := offerOf(file)
			u.offer(m)
			if !u.accepted() {
				return
			}
			if n > 15 {
				u.serveFrom(u.accept.GetOffset())
				return
			}
			if u.send(u.accept.GetOffset(), u.accept.GetOffset()+115_000); n%5 == 4 {
				u.failed(pb.UpdateFailed_REASON_FAULT)
			}
		})
		f.at = func(p *peer, s step) verdict {
			if s == stepConnected && p.number%3 == 2 { // some do not even get in
				return hangUp
			}
			return proceed
		}
		dir, away := t.TempDir(), 0
		_, err := f.updateBy(t, f.takingUpdates(), client.DownloadOptions{Dir: dir, Progress: func(p client.UpdateProgress) {
			if p.Phase == client.UpdateAway {
				if away++; p.Reason == nil {
					t.Errorf("got %+v", p)
				}
			}
		}})
		if err != nil || away < 15 {
			t.Fatalf("%v, away %d times", err, away)
		}
		wantFiles(t, dir, map[string][]byte{updateName: file})
	})
}

// Nothing that is new for too long, and what no other try would heal, is the end.
func TestClient_UpdateGivesUp(t *testing.T) {
	refuse := func(r codec.Result) func(f *fake) {
		return func(f *fake) {
			f.at = func(p *peer, s step) verdict {
				if s == stepHeardHello && p.number > 1 {
					p.refuse(r, 0)
					return hangUp
				}
				return proceed
			}
		}
	}
	another := func(f *fake) {
		f.update = func(p *peer, keys *keyschedule.Keys) {
			u := newUpdater(p, keys, someFile(250_000, uint64(p.number)))
			u.offer(offerOf(u.file))
			if u.accepted() && p.number == 1 {
				u.failed(pb.UpdateFailed_REASON_CHANGED)
			}
		}
	}
	welcome := func(f *fake) {
		update := f.update
		f.at = func(p *peer, s step) verdict {
			if s == stepProven && p.number > 1 {
				p.fake.update = nil
			}
			return proceed
		}
		f.update = update
	}
	for name, c := range map[string]struct {
		set   func(f *fake)
		want  error
		dials int // at least
	}{
		"no byte is new": {func(*fake) {}, client.ErrUpdateBroken, 10},
		"busy for ever":  {refuse(codec.ResultBusy), client.ErrBusy, 10},
		"banned":         {refuse(codec.ResultBanned), client.ErrBanned, 2},
		"another file":   {another, client.ErrUpdate, 2},
		"let in":         {welcome, client.ErrNotWanted, 2},
	} {
		bubble(t, name, func(t *testing.T) {
			f := updating(someFile(250_000, 1), func(u *updater) {
				u.offer(offerOf(u.file))
				if u.accepted() {
					u.send(0, 50_000)
				}
			})
			c.set(f)
			_, err := f.updateBy(t, f.takingUpdates(), client.DownloadOptions{Dir: t.TempDir()})
			wantErr(t, err, c.want)
			if n := len(f.times()); n < c.dials || n > c.dials+2 {
				t.Errorf("%d connections", n)
			}
			var offer *client.UpdateOffer
			if errors.As(err, &offer) != (name == "another file") {
				t.Errorf("an offer in %v", err)
			}
			if offer != nil {
				offer.Close()
			}
		})
	}
}

// The token that has signed in to an offer is good for the next sign-in.
func TestUpdate_ByToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, o, _ := onDisk(t)
		file := someFile(250_000, 1)
		f.mu.Lock()
		f.update = func(p *peer, keys *keyschedule.Keys) { newUpdater(p, keys, file).serve() }
		f.mu.Unlock()
		o.TakesUpdates = true
		for range 2 {
			_, err := f.login(t, o, client.Credentials{Account: account})
			var offer *client.UpdateOffer
			if !errors.As(err, &offer) {
				t.Fatal(err)
			}
			if _, err := offer.Download(t.Context(), client.DownloadOptions{Dir: t.TempDir()}); err != nil {
				t.Fatal(err)
			}
		}
		if f.revoked || f.byToken != 2 {
			t.Errorf("revoked %t, %d by token", f.revoked, f.byToken)
		}
	})
}

// A session that reconnects has nobody to offer an update to: it ends with the refusal
// that it is given.
func TestUpdate_NotForAReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		takes := make(chan bool, 8)
		f.at = func(p *peer, s step) verdict {
			if s != stepAccepted || p.number == 1 {
				return proceed
			}
			p.refuse(codec.ResultVersionUpdate, 0)
			return hangUp
		}
		f.after = func(p *peer) { p.Close() }
		f.hello = func(m *codec.Message) { takes <- m.Native.TakesUpdates }
		s := f.mustLogin(t, f.takingUpdates())
		ended(t, s)
		wantErr(t, s.Err(), client.ErrUpdate)
		if first, second := <-takes, <-takes; !first || second {
			t.Errorf("takes updates: %t, then %t", first, second)
		}
	})
}

// The window is within the contract's bounds, and is never left full: the fake does not
// send ahead of it, and no time passes.
func TestUpdate_AcknowledgesWithinTheWindow(t *testing.T) {
	for name, window := range map[string][2]uint32{"small": {1, 64 << 10}, "default": {0, 1 << 20}, "large": {1 << 31, 16 << 20}} {
		bubble(t, name, func(t *testing.T) {
			file, acks, took := someFile(2_345_678, 1), 0, uint32(0)
			f := updating(file, func(u *updater) {
				u.offer(offerOf(file))
				u.accepted()
				took = u.accept.GetWindow()
				u.serveFrom(0)
				acks = int(u.acked)
			})
			began, dir := time.Now(), t.TempDir()
			if _, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir, Window: window[0]}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if took != window[1] || acks != len(file) || time.Since(began) > time.Second {
				t.Errorf("window %d, acknowledged %d, in %v", took, acks, time.Since(began))
			}
			wantFiles(t, dir, map[string][]byte{updateName: file})
		})
	}
}

// A file that was overwritten under way is no way on until it is mended, and a build
// without one is not let in for so long.
func TestClient_UpdateWaitsForAFileThatIsMended(t *testing.T) {
	for name, mendedBy := range map[string]int{"soon": 4, "never": 1000} {
		bubble(t, name, func(t *testing.T) {
			f := newFake()
			f.update = func(p *peer, keys *keyschedule.Keys) {
				u := newUpdater(p, keys, someFile(250_000, 1))
				u.offer(offerOf(u.file))
				switch {
				case !u.accepted():
				case p.number == 1:
					u.send(0, 120_000)
					u.failed(pb.UpdateFailed_REASON_CHANGED)
				default:
					u.serveFrom(u.accept.GetOffset())
				}
			}
			f.at = func(p *peer, s step) verdict {
				if s == stepHeardHello && p.number > 1 && p.number < mendedBy {
					p.refuse(codec.ResultVersionInvalid, 0)
					return hangUp
				}
				return proceed
			}
			dir := t.TempDir()
			_, err := f.updateBy(t, f.takingUpdates(), client.DownloadOptions{Dir: dir})
			if name == "never" {
				wantErr(t, err, client.ErrVersion)
				if n := len(f.times()); n < 10 || n > 12 {
					t.Errorf("%d connections", n)
				}
				return
			}
			wantErr(t, err, nil)
			wantFiles(t, dir, map[string][]byte{updateName: someFile(250_000, 1)})
		})
	}
}

// Who has thought too long is told so, and gets the file all the same.
func TestClient_UpdateBehindAnOfferThatIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := someFile(250_000, 1)
		f := newFake()
		f.update = func(p *peer, keys *keyschedule.Keys) {
			u := newUpdater(p, keys, file)
			if p.number > 1 {
				u.serve()
				return
			}
			u.offer(offerOf(file))
			for u.pings < 15 {
				u.onePing()
			}
			u.sendAway(pb.Result_RESULT_IDLE)
		}
		c, err := client.Dial(t.Context(), "login", f.takingUpdates())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, err = c.Login(t.Context(), credentials())
		var offer *client.UpdateOffer
		if !errors.As(err, &offer) {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		dir, why := t.TempDir(), error(nil)
		_, err = c.Update(t.Context(), credentials(), offer, client.DownloadOptions{Dir: dir, Progress: func(p client.UpdateProgress) {
			if p.Phase == client.UpdateAway {
				why = p.Reason
			}
		}})
		wantErr(t, err, nil)
		wantErr(t, why, client.ErrOfferOver)
		wantFiles(t, dir, map[string][]byte{updateName: file})
	})
}

// A server that does not come to its end keeps nobody from a file that is whole.
func TestUpdate_AnEndThatNeverComes(t *testing.T) {
	for name, behind := range map[string]func(u *updater){
		"pongs for ever": func(u *updater) {
			for range 1000 {
				u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_Pong{Pong: &pb.Pong{}}})
			}
		},
		"a pong now and then": func(u *updater) {
			for range 100 {
				time.Sleep(5 * time.Second)
				u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_Pong{Pong: &pb.Pong{}}})
			}
		},
		"silence": func(u *updater) { u.until() },
	} {
		bubble(t, name, func(t *testing.T) {
			file, dir := someFile(250_000, 1), t.TempDir()
			f := updating(file, func(u *updater) {
				u.offer(offerOf(file))
				u.accepted()
				u.send(0, uint64(len(file)))
				u.wanted()
				synctest.Wait()
				wantFiles(t, dir, map[string][]byte{updateName: file})
				behind(u)
			})
			o := f.takingUpdates()
			o.Timeout = 20 * time.Second
			offer, began := f.offered(t, o), time.Now()
			if _, err := offer.Download(t.Context(), client.DownloadOptions{Dir: dir}); err != nil || time.Since(began) > o.Timeout {
				t.Errorf("%v behind %v", err, time.Since(began))
			}
			time.Sleep(time.Hour) // and the server has ended
		})
	}
}
