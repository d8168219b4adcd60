package logic

import (
	"time"

	"gatepass/deadline"
	"gatepass/storage"
)

// factorLock bounds how often second factors are tried for an account: who has its
// password could else try every PIN in minutes. It is about those only, so it tells
// strangers nothing, and lets nobody be locked out who has not lost the password.
//
// Times are those of the ticks: nobody shortens a lock by setting the wall clock.
type factorLock struct {
	rows map[storage.Name]factorRow
	// ends has each account of rows once. It frees memory only: whether a lock is over
	// is a question of the time, not of who has been here.
	ends deadline.Queue[storage.Name]
}

// factorRow is an account's wrong factors in a row: how many, and until when they
// count, in milliseconds. With none it waits to be forgotten.
type factorRow struct {
	wrong int
	until int64
}

const (
	// factorTries is how many wrong factors in a row are looked at, factorWindow for
	// how long from the first of them on more are refused unread.
	factorTries  = 5
	factorWindow = 15 * time.Minute
)

func newFactorLock() factorLock { return factorLock{rows: make(map[storage.Name]factorRow)} }

// locked tells whether an account has used up its tries at now, in milliseconds.
func (l *factorLock) locked(name storage.Name, now int64) bool {
	row := l.rows[name]
	return row.wrong >= factorTries && now < row.until
}

// fail counts a wrong factor.
func (l *factorLock) fail(name storage.Name, now int64) {
	row, known := l.rows[name]
	if row.wrong == 0 || now >= row.until {
		row = factorRow{until: now + factorWindow.Milliseconds()}
	}
	row.wrong++
	l.rows[name] = row
	if !known {
		l.ends.Push(name, row.until)
	}
}

// succeed ends the row of an account whose right factor was proven.
func (l *factorLock) succeed(name storage.Name) {
	if row, known := l.rows[name]; known {
		row.wrong = 0
		l.rows[name] = row
	}
}

// advance forgets what is over.
func (l *factorLock) advance(now int64) {
	for name, ok := l.ends.Next(now); ok; name, ok = l.ends.Next(now) {
		if row := l.rows[name]; row.wrong > 0 && now < row.until {
			l.ends.Push(name, row.until) // a row that began after the one before had ended
		} else {
			delete(l.rows, name)
		}
	}
}
