package edge

import (
	"errors"
	"fmt"
	"time"

	"gatepass/cmd/gatepass/internal/process"
)

// aliveLimit is how long the logic may process no tick before it counts as stuck.
const aliveLimit = 10 * time.Second

// alive returns an error if the logic is stuck. Any goroutine.
func (e *Edge) alive() error {
	behind := time.Duration(e.now()-e.core.LastTick()) * time.Millisecond
	if behind > aliveLimit {
		return fmt.Errorf("the logic has not moved for %v", behind.Round(time.Second))
	}
	return nil
}

// ready returns why clients should use another login server now. Any goroutine.
func (e *Edge) ready() error {
	return errors.Join(readFault(e.served.ReadTrouble()), regionFault(e.core.Stats().Settled), process.AcceptFault(e.server.Stats()))
}

// regionFault says what follows from never having met the region. settled is that of
// logic.Stats.
func regionFault(settled bool) error {
	if settled {
		return nil
	}
	return errors.New("password sign-ins are refused as busy until this server has met its region once: is a world manager running, and does the bus reach it?")
}

// degraded returns what the login server cannot do although it works. Any goroutine.
func (e *Edge) degraded() error {
	var bans error
	if n := e.core.Stats().BansDamaged; n > 0 {
		bans = fmt.Errorf("%d address bans cannot be read and do not hold; the log names them", n)
	}
	store := accountsFault(e.served.ReadTrouble(), e.served.WriteTrouble())
	return errors.Join(store, bans, process.AcceptFault(e.server.Stats()), process.LeaderFault(e.conn))
}

// accountsFault returns what the store cannot do. unread is why it cannot be read, refused
// why it accepts no writes; either may be nil.
func accountsFault(unread, refused error) error {
	if unread != nil || refused == nil {
		return readFault(unread)
	}
	return fmt.Errorf("the store is read-only: logins go on, their records are dropped and account changes are refused until the disk takes writes again: %w", refused)
}

// readFault returns what follows from a store that cannot be read, nil for nil.
func readFault(unread error) error {
	if unread == nil {
		return nil
	}
	return fmt.Errorf("nobody can log in until the store can be read again: %w", unread)
}
