package factor

import (
	"time"

	"gatepass/deadline"
	"gatepass/storage"
)

// lock bounds how often second factors are tried for an account: who has its
// password could else try every PIN in minutes. It is about those only, so it tells
// strangers nothing, and lets nobody be locked out who has not lost the password.
//
// Times are those of the ticks: nobody shortens a lock by setting the wall clock.
type lock struct {
	rows map[storage.Name]lockRow
	// ends has each account of rows once. It frees memory only: whether a lock is over
	// is a question of the time, not of who has been here.
	ends deadline.Queue[storage.Name]
}

// lockRow is an account's wrong factors in a row: how many, and until when they
// count, in milliseconds. With none it waits to be forgotten.
type lockRow struct {
	wrong int
	until int64
}

const (
	// lockTries is how many wrong factors in a row are looked at, lockWindow for
	// how long from the first of them on more are refused unread.
	lockTries  = 5
	lockWindow = 15 * time.Minute
)

func newLock() lock { return lock{rows: make(map[storage.Name]lockRow)} }

// locked tells whether an account has used up its tries at now, in milliseconds.
func (l *lock) locked(name storage.Name, now int64) bool {
	row := l.rows[name]
	return row.wrong >= lockTries && now < row.until
}

// fail counts a wrong factor.
func (l *lock) fail(name storage.Name, now int64) {
	row, known := l.rows[name]
	if row.wrong == 0 || now >= row.until {
		row = lockRow{until: now + lockWindow.Milliseconds()}
	}
	row.wrong++
	l.rows[name] = row
	if !known {
		l.ends.Push(name, row.until)
	}
}

// succeed ends the row of an account whose right factor was proven.
func (l *lock) succeed(name storage.Name) {
	if row, known := l.rows[name]; known {
		row.wrong = 0
		l.rows[name] = row
	}
}

// advance forgets what is over.
func (l *lock) advance(now int64) {
	for name, ok := l.ends.Next(now); ok; name, ok = l.ends.Next(now) {
		if row := l.rows[name]; row.wrong > 0 && now < row.until {
			l.ends.Push(name, row.until) // a row that began after the one before had ended
		} else {
			delete(l.rows, name)
		}
	}
}
