package storage

import "errors"

// Errors of requests, delivered in Result.Err.
var (
	// ErrNotFound: there is no account of that name, or it has no such device.
	ErrNotFound = errors.New("storage: not found")
	// ErrNotBanned: the account exists and is not banned; or there is no ban of
	// exactly that range.
	ErrNotBanned = errors.New("storage: not banned")
	// ErrConflict: the value that the request expects has been replaced.
	ErrConflict = errors.New("storage: replaced meanwhile")
	// ErrExists: an account of that name exists.
	ErrExists = errors.New("storage: account exists already")
	// ErrInvalid: a request lacks a field that its kind needs, or exceeds a limit.
	ErrInvalid = errors.New("storage: invalid request")
	// ErrClosed: the store is closed, or was closed before the request was done.
	ErrClosed = errors.New("storage: closed")
	// ErrReadOnly: the store was opened for reading only and the request changes it.
	ErrReadOnly = errors.New("storage: opened for reading only")
	// ErrFailed: a write failed. The change may or may not survive a crash, and the
	// store takes no further writes until it says so. The cause is wrapped. It never
	// answers a read.
	ErrFailed = errors.New("storage: write failed")
	// ErrReadFailed: a read failed, or the store cannot be opened at the moment. What is
	// stored is unknown; a change that needed the read has not been made. The cause is
	// wrapped. Data that can be read and is damaged is ErrUnreadable or ErrCorrupt.
	ErrReadFailed = errors.New("storage: read failed")
	// ErrUnreadable: a file of the store is damaged. Whether the record exists is
	// unknown.
	ErrUnreadable = errors.New("a file of the account store is damaged, 'gatepass store check' tells which")
	// ErrCorrupt: a stored record is not one that the engine writes. The text names the
	// kind of record and never its content.
	ErrCorrupt = errors.New("storage: corrupt record")
	// ErrRecordVersion: a later version of this program wrote the record.
	ErrRecordVersion = errors.New("storage: record of an unknown version")
)

// Errors of opening a store.
var (
	// ErrNoStore: there is no store to read, and opening for reading creates none.
	ErrNoStore = errors.New("storage: no store there")
	// ErrLocked: another process, or another store of this process, has it open. A tool
	// should send its requests to the running server instead.
	ErrLocked = errors.New("the folder is in use by a running server")
	// ErrFormat: a later version of this program wrote the store.
	ErrFormat = errors.New("storage: format from the future")
	// ErrDamaged: parts of the store are missing or have changed. It comes as a
	// DamageError. Opening has changed nothing.
	ErrDamaged = errors.New("the account store is damaged")
)
