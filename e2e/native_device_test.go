package e2e

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	native "gatepass/client"
)

// remembering are the options of a device that keeps its tokens in that folder.
func remembering(folder string) native.Options {
	o := guestOptions()
	o.Tokens, o.Remember, o.DeviceName = native.NewFileTokens(folder), true, "laptop"
	return o
}

// copied is a second folder with what a folder has: a thief's.
func copied(t testing.TB, folder string) string {
	t.Helper()
	stolen := filepath.Join(t.TempDir(), "stolen")
	must(t, os.CopyFS(stolen, os.DirFS(folder)))
	return stolen
}

// mustNotSignIn wants a refusal of credentials.
func mustNotSignIn(t testing.TB, addr string, who native.Credentials, o native.Options) {
	t.Helper()
	s, err := signIn(t, addr, who, o)
	if !errors.Is(err, native.ErrBadCredentials) {
		t.Fatalf("%s: %v, %v", who.Account, s, err)
	}
}

// TestNative_Device: a device that is remembered needs no password, also behind a
// crash of the server; a copy of its token that is used ends it.
func TestNative_Device(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	folder := filepath.Join(t.TempDir(), "devices")
	byToken, byPassword := native.Credentials{Account: "ana"}, native.Credentials{Account: "ana", Password: "secret"}
	mustSign := func(who native.Credentials, folder string) *nativeSession {
		t.Helper()
		s, err := signIn(t, g.said["native"], who, remembering(folder))
		must(t, err)
		return s
	}
	// Whoever has been told that the device is remembered can rely on it.
	mustSign(byPassword, folder)
	g.kill()
	g = start(t, setup{data: g.data})
	must(t, mustSign(byToken, folder).Close())

	// Killed between two sign-ins, it knows the token that was good last.
	stolen := copied(t, folder)
	mustSign(byToken, folder)
	g.kill()
	g = start(t, setup{data: g.data})
	must(t, mustSign(byToken, folder).Close())

	// A copy from before: both are out, the owner is in again with the password.
	mustNotSignIn(t, g.said["native"], byToken, remembering(stolen))
	mustNotSignIn(t, g.said["native"], byToken, remembering(folder))
	if n := len(devicesOf(g, "ana")); n != 0 {
		t.Errorf("%d devices are left", n)
	}
	must(t, mustSign(byPassword, folder).Close())
	mustSign(byToken, folder)
}

// devicesOf are the families that `gatepass account devices` lists.
func devicesOf(g *gatepass, account string) (families []string) {
	g.t.Helper()
	for line := range strings.Lines(g.account("", "devices", "--json", account)) {
		var row struct{ Family, Name string }
		if err := json.Unmarshal([]byte(line), &row); err != nil || row.Name != "laptop" {
			g.t.Fatalf("devices: %q: %v", line, err)
		}
		families = append(families, row.Family)
	}
	return families
}

// TestNative_DeviceRevoked: an operator sees the devices of an account and takes one
// away, with its session; a new password takes all.
func TestNative_DeviceRevoked(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	folders := []string{t.TempDir(), t.TempDir()}
	who := native.Credentials{Account: "ana", Password: "secret"}
	var owner *nativeSession
	for _, folder := range folders {
		var err error
		owner, err = signIn(t, g.said["native"], who, remembering(folder))
		must(t, err)
	}
	last, err := native.NewFileTokens(folders[1]).Load("ANA")
	must(t, err)
	family := hex.EncodeToString(last.Family[:])
	all := devicesOf(g, "ana")
	if len(all) != 2 || !slices.Contains(all, family) {
		t.Fatalf("the devices are %v", all)
	}
	g.account("", "devices", "revoke", "ana", family[:8])
	if err := owner.ended(); err == nil {
		t.Error("the session of the device goes on")
	}
	if left := devicesOf(g, "ana"); len(left) != 1 || left[0] == family {
		t.Errorf("left: %v", left)
	}
	token := native.Credentials{Account: "ana"}
	mustNotSignIn(t, g.said["native"], token, remembering(folders[1]))
	other, err := signIn(t, g.said["native"], token, remembering(folders[0]))
	must(t, err)

	g.account("n3wsecret\n", "passwd", "--native-kdf", "8192,1,1", "--password-stdin", "ana")
	if err := other.ended(); err == nil {
		t.Error("the session goes on with the old password")
	}
	mustNotSignIn(t, g.said["native"], token, remembering(folders[0]))
	mustNotSignIn(t, g.said["native"], who, guestOptions())
	mustSignIn(t, g.said["native"], "ana", "n3wsecret")
	if left := devicesOf(g, "ana"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	// Who gives a device up by itself needs no operator.
	who.Password = "n3wsecret"
	s, err := signIn(t, g.said["native"], who, remembering(folders[0]))
	must(t, err)
	must(t, s.ForgetDevice(within20(t)))
	eventually(t, "the device is forgotten", func() bool { return len(devicesOf(g, "ana")) == 0 })
}
