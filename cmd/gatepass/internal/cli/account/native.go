package account

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/auth/srp6a"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

// nativeFlags are the parameters of native verifiers.
type nativeFlags struct {
	group, kdf string
}

func (n *nativeFlags) register(c *cobra.Command) {
	d := srp6a.DefaultParams()
	c.Flags().StringVar(&n.group, "native-group", d.Group.String(), "`bits` of the native protocol's group: 2048, 3072 or 4096")
	c.Flags().StringVar(&n.kdf, "native-kdf", fmt.Sprintf("%d,%d,%d", d.KDF.MemoryKiB, d.KDF.Passes, d.KDF.Lanes),
		"Argon2id's memory in `KiB,passes,lanes`, which each native login takes on the player's side")
}

// params checks the flags and returns the parameters.
func (n *nativeFlags) params() (p srp6a.Params, err error) {
	if p.Group, err = accounts.ParseGroup(n.group); err != nil {
		return p, exit.Usage(err)
	}
	if p.KDF, err = accounts.ParseKDF(n.kdf); err != nil {
		return p, exit.Usage(err)
	}
	return p, nil
}

// setNative applies the flags of a command before it opens the accounts.
func (f *commands) setNative(n *nativeFlags) (err error) {
	f.manager.Native, err = n.params()
	return err
}

func noNativeFlag(c *cobra.Command, off *bool) {
	c.Flags().BoolVar(off, "no-native", false, "make no native verifier: native clients are told that the password is wrong")
}

// nativeText describes a native verifier.
func nativeText(n *accounts.NativeSummary) string {
	return fmt.Sprintf("group %d, Argon2id over %s, %s, %s", n.Group, memoryText(n.MemoryKiB), terminal.Count(n.Passes, "pass", "passes"), terminal.Count(n.Lanes, "lane", "lanes"))
}

func memoryText(kib uint32) string {
	if kib%1024 == 0 {
		return fmt.Sprintf("%d MiB", kib/1024)
	}
	return fmt.Sprintf("%d KiB", kib)
}

// nativeWarning returns the time and memory that an import with native verifiers needs.
func nativeWarning(p srp6a.Params, workers int) string {
	began := time.Now()
	srp6a.NewVerifier(p, &[32]byte{}, "A", "A")
	each := time.Since(began)
	return fmt.Sprintf("a native verifier takes about %d ms and %s here; %s at a time",
		each.Milliseconds(), memoryText(p.KDF.MemoryKiB), terminal.Count(uint32(workers), "is made", "are made"))
}
