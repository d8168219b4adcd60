package e2e

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"gatepass/accounts"
	"gatepass/admin"
	native "gatepass/client"
)

// TestNative_DeviceNeverOutlivesAChange: clients that have proven a password ask to be
// remembered in the very moment in which an operator gives the account a PIN. No token
// that was made without it is left. (A new password takes the same way in the store, but
// making its verifier takes so long that the moment is hard to meet.)
func TestNative_DeviceNeverOutlivesAChange(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	control, err := admin.Dial(t.Context(), admin.SocketPath(g.data))
	must(t, err)
	defer control.Close()
	manager := accounts.New(control, accounts.Options{Random: rand.Reader})
	for round := range 8 {
		var clients []*nativeSession
		for i := range 12 {
			o := remembering(filepath.Join(t.TempDir(), fmt.Sprint(i)))
			o.Remember = false // at the right moment, below
			s, err := signIn(t, g.said["native"], native.Credentials{Account: "ana", Password: "secret"}, o)
			must(t, err)
			clients = append(clients, s)
		}
		var all sync.WaitGroup
		all.Go(func() {
			_, err := manager.SetPIN(t.Context(), "ana", "4711")
			if err != nil {
				t.Error(err)
			}
		})
		for _, s := range clients {
			all.Go(func() { _ = s.Remember(within20(t)) }) // remembered or refused, both are right
		}
		all.Wait()
		if left := devicesOf(g, "ana"); len(left) != 0 {
			t.Fatalf("round %d: the devices %v are remembered without the PIN", round, left)
		}
		must(t, manager.ClearFactors(t.Context(), "ana"))
	}
}
