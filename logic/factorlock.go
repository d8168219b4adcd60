package logic

import (
	"time"

	"gatepass/deadline"
	"gatepass/storage"
)

// factorLock bounds how often second factors are tried for an account: who has its
// password could else try every PIN in minutes. It is about those only, so it tells
// strangers nothing, and lets nobody be locked out who has not lost the password.
type factorLock struct {
	wrong map[storage.Name]int
	ends  deadline.Wheel[storage.Name]
}

const (
	// factorTries is how many wrong factors in a row are looked at, factorWindow for
	// how long from the first of them on more are refused unread.
	factorTries  = 5
	factorWindow = 15 * time.Minute
)

func newFactorLock() factorLock { return factorLock{wrong: make(map[storage.Name]int)} }

// locked tells whether an account has used up its tries.
func (l *factorLock) locked(name storage.Name) bool { return l.wrong[name] >= factorTries }

// fail counts a wrong factor at now, in milliseconds.
func (l *factorLock) fail(name storage.Name, now int64) {
	if l.wrong[name]++; l.wrong[name] == 1 {
		l.ends.Arm(name, now+factorWindow.Milliseconds())
	}
}

// advance forgets what is over at now, and succeed what a right factor has made good.
func (l *factorLock) advance(now int64) {
	l.ends.Advance(now, func(name storage.Name, _ int64) { delete(l.wrong, name) })
}

func (l *factorLock) succeed(name storage.Name) {
	if l.wrong[name] > 0 {
		l.wrong[name] = 0 // the entry stays until its window ends
	}
}
