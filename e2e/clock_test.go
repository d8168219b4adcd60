package e2e

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatepass/auth"
	native "gatepass/client"
)

// wallClock is what a gatepass of clockProgram takes for the time of day: a file that it
// maps.
type wallClock struct {
	t    testing.TB
	file *os.File
}

func newWallClock(t testing.TB) *wallClock {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "clock"))
	must(t, err)
	t.Cleanup(func() { _ = file.Close() })
	c := &wallClock{t, file}
	c.write(0, 0)
	return c
}

// write sets how far the clock is off, and where it stands if it does not go, both in
// seconds.
func (c *wallClock) write(offset, stands int64) {
	c.t.Helper()
	b := binary.NativeEndian.AppendUint64(nil, uint64(offset))
	_, err := c.file.WriteAt(binary.NativeEndian.AppendUint64(b, uint64(stands)), 0)
	must(c.t, err)
}

// set lets it go on from at; stop lets it stand there.
func (c *wallClock) set(at time.Time)  { c.write(at.Unix()-time.Now().Unix(), 0) }
func (c *wallClock) stop(at time.Time) { c.write(0, at.Unix()) }

// clockNow and clockMap are what is put into package time of clockProgram.
const (
	clockNow = "\tsec, nsec, mono := runtimeNow()\n\tif testClock != nil {\n" +
		"\t\tif sec += testClock[0]; testClock[1] != 0 {\n\t\t\tsec = testClock[1]\n\t\t}\n\t}\n"
	clockMap = `
var testClock = mapTestClock()

func mapTestClock() *[2]int64 {
	path, _ := syscall.Getenv("TEST_WALL_CLOCK")
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	b, err := syscall.Mmap(fd, 0, 16, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return (*[2]int64)(unsafe.Pointer(&b[0]))
}
`
)

// clockProgram builds a gatepass whose time.Now goes by the file that the environment
// names.
func clockProgram(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	must(t, err)
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	b, err := os.ReadFile(original)
	must(t, err)
	text := string(b)
	for _, edit := range [][2]string{
		{"func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n", "func Now() Time {\n" + clockNow},
		{"import (\n", "import (\n\t\"syscall\"\n"},
		{"\t_ \"unsafe\"", "\t\"unsafe\""},
	} {
		if strings.Count(text, edit[0]) != 1 {
			t.Fatalf("%s has changed: there is not one %q in it; adapt this test to the new Go version", original, edit[0])
		}
		text = strings.Replace(text, edit[0], edit[1], 1)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: writeFile(t, "time.go", text+clockMap)}})
	must(t, err)
	path := filepath.Join(dir, "gatepass")
	build := exec.Command("go", "build", "-overlay", writeFile(t, "overlay.json", string(overlay)), "-o", path, "gatepass/cmd/gatepass")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	return path
}

// clockStage is a server whose clock the test sets.
type clockStage struct {
	*gatepass
	clock *wallClock
}

func startClocked(t testing.TB, at time.Time) *clockStage {
	t.Helper()
	c := newWallClock(t)
	c.set(at)
	g := start(t, setup{program: clockProgram(t), env: []string{"TEST_WALL_CLOCK=" + c.file.Name(), "GATEPASS_SESSIONS__CONNECTED_LIMIT=1s"}})
	return &clockStage{g, c}
}

// code signs in by an authenticator's code of that time.
func (s *clockStage) code(account string, secret auth.TOTPSecret, at time.Time) error {
	who, _ := typing(account, secret.Code(auth.TOTPStep(at)))
	session, err := signIn(s.t, s.said["native"], who, guestOptions())
	if err == nil {
		err = session.Close()
	}
	return err
}

// mustEndSilent connects without a word, and is to be sent away when the limit is over.
func (s *clockStage) mustEndSilent() {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.grunt)
	must(s.t, err)
	defer conn.Close()
	must(s.t, conn.SetReadDeadline(time.Now().Add(patience)))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !hungUp(err) {
		s.t.Errorf("a silent connection was not ended by its limit: %v", err)
	}
}

// TestClock_IsSetWhileClientsLogIn: a machine that starts in 1970 gets its time by NTP
// while clients log in; then its clock is set back by days, put right, and stands still.
// No login waits for it, each code is good once, deadlines come when they are due.
func TestClock_IsSetWhileClientsLogIn(t *testing.T) {
	t.Parallel()
	s := startClocked(t, time.Unix(3600, 0))
	s.addNative("guest", "secret")
	secret := s.authenticator("ana")
	stay, err := signIn(t, s.said["native"], native.Credentials{Account: "guest", Password: "secret"}, guestOptions())
	must(t, err)
	defer stay.Close()
	s.addNative("bob", "secret")

	logins, failed := make(chan struct{}), make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer close(failed)
		for ctx.Err() == nil {
			session, err := signIn(t, s.said["native"], native.Credentials{Account: "bob", Password: "secret"}, guestOptions())
			if err != nil {
				failed <- err
				return
			}
			_ = session.Close()
			select {
			case logins <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}()
	someLogins := func(when string) {
		t.Helper()
		for range 3 {
			select {
			case <-logins:
			case err := <-failed:
				t.Fatalf("%s: %v", when, err)
			case <-time.After(patience):
				t.Fatalf("%s: no login in %v", when, patience)
			}
		}
		s.mustEndSilent()
		s.healthy()
	}
	someLogins("in 1970")
	now := time.Now()
	s.clock.set(now)
	someLogins("after the step from 1970 to now")
	must(t, s.code("ana", secret, now))
	before := now.Add(-72 * time.Hour)
	s.clock.set(before)
	someLogins("after a step back by three days")
	must(t, s.code("ana", secret, before))
	for _, used := range []time.Time{before, now} {
		s.clock.stop(used)
		if err := s.code("ana", secret, used); !errors.Is(err, native.ErrBadCredentials) {
			t.Errorf("the used code of %v: %v", used, err)
		}
	}
	someLogins("while the clock stands still")
	s.clock.set(now.AddDate(100, 0, 0))
	someLogins("in a hundred years")
	s.clock.set(now)
	stop()
	if err := <-failed; err != nil {
		t.Error(err)
	}
	if ended := stay.Err(); ended != nil {
		t.Errorf("who was in all the time is out: %v", ended)
	}
}
