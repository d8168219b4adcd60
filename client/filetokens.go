package client

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"gatepass/atomicfile"
	"gatepass/client/internal/disk"
)

// FileTokens is a TokenStore of one file for each account in a folder, readable by
// its owner only. A file is replaced by renaming a synced one over it, and the folder
// is synced behind that. Several programs of a machine may use a folder at once: who
// signs in holds an advisory lock on a file beside the token, which is never removed.
// A folder is for one server, as every TokenStore is.
type FileTokens struct{ dir string }

const (
	tokenFormat = 1
	// maxTokenFile bounds what is read; a file has less than 500 bytes.
	maxTokenFile = 4 << 10
	// probeSize is about that of a token's file, in bytes: a full disk has to show.
	probeSize = 512
	// lockEvery is how often a lock that somebody holds is tried again.
	lockEvery = 25 * time.Millisecond
	// leftAfter is how old a half-made file is when no program can be at it any more.
	leftAfter = time.Minute
)

// tokenFile is how a token lies in its file, as JSON.
type tokenFile struct {
	Format  int    `json:"format"`
	Device  string `json:"device"`
	Family  string `json:"family,omitempty"`
	Key     string `json:"key,omitempty"`
	Secret  string `json:"secret,omitempty"`
	Next    string `json:"next,omitempty"`
	Expires int64  `json:"expires,omitempty"`
}

// NewFileTokens keeps tokens in the folder dir, which is made when it is needed.
func NewFileTokens(dir string) *FileTokens { return &FileTokens{dir: dir} }

// path names an account's file by the hex of its name: no name leads out of the folder.
func (f *FileTokens) path(account string) string {
	return filepath.Join(f.dir, hex.EncodeToString([]byte(account))+".token")
}

// Load is TokenStore's. A file that is damaged is an error and not ErrNoToken.
func (f *FileTokens) Load(account string) (Token, error) {
	b, err := readBounded(f.path(account))
	defer clear(b)
	if errors.Is(err, fs.ErrNotExist) {
		return Token{}, ErrNoToken
	}
	if err != nil {
		return Token{}, err
	}
	var stored tokenFile
	if len(b) > maxTokenFile || json.Unmarshal(b, &stored) != nil || stored.Format != tokenFormat {
		return Token{}, fmt.Errorf("%s is no token of this version", f.path(account))
	}
	t, ok := stored.token()
	if !ok {
		return Token{}, fmt.Errorf("%s is damaged", f.path(account))
	}
	return t, nil
}

// Save is TokenStore's.
func (f *FileTokens) Save(account string, t Token) error {
	b, err := json.Marshal(fileOf(&t))
	if err != nil {
		return err
	}
	defer clear(b)
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	if err := atomicfile.Write(f.path(account), f.pattern(account), atomicfile.Content(b)); err != nil {
		return err
	}
	f.sweep(account)
	return nil
}

// pattern is that of temporary files. Each has a name of its own, because several programs
// may save the same token at once.
func (f *FileTokens) pattern(account string) string {
	return filepath.Base(f.path(account)) + ".*.new"
}

// sweep removes what crashes have left half made.
func (f *FileTokens) sweep(account string) {
	base := filepath.Base(f.path(account))
	entries, _ := os.ReadDir(f.dir) // what stays does no harm
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) || !strings.HasSuffix(e.Name(), ".new") {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > leftAfter {
			_ = os.Remove(filepath.Join(f.dir, e.Name()))
		}
	}
}

// Probe is TokenProber's: it writes what Save would, beside, and removes it.
func (f *FileTokens) Probe(account string) error {
	path := f.path(account)
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		return &fs.PathError{Op: "save", Path: path, Err: syscall.EISDIR}
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	made, err := atomicfile.Aside(f.dir, f.pattern(account), atomicfile.Content(make([]byte, probeSize)))
	if err != nil {
		return err
	}
	return os.Remove(made)
}

// Lock is TokenLocker's. It is for the account alone, and ends with the process too.
func (f *FileTokens) Lock(ctx context.Context, account string) (unlock func(), err error) {
	lock := flock.New(f.path(account) + ".lock")
	_, err = lock.TryLockContext(ctx, lockEvery)
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil, context.Cause(ctx)
	case err != nil && !disk.LacksLocks(err):
		return nil, err
	}
	return func() { _ = lock.Close() }, nil
}

// Forget is TokenStore's.
func (f *FileTokens) Forget(account string) error {
	err := os.Remove(f.path(account))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return atomicfile.SyncFolder(f.dir)
}

// readBounded reads a file, but no more than is judged too long.
func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxTokenFile+1))
}

func fileOf(t *Token) tokenFile {
	stored := tokenFile{Format: tokenFormat, Device: hex.EncodeToString(t.Device[:])}
	if !t.usable() {
		return stored
	}
	stored.Family, stored.Key = hex.EncodeToString(t.Family[:]), hex.EncodeToString(t.Key[:])
	stored.Secret, stored.Expires = hex.EncodeToString(t.Secret[:]), t.Expires.Unix()
	if t.pending() {
		stored.Next = hex.EncodeToString(t.Next[:])
	}
	return stored
}

// token reads what fileOf has written; ok is false when something has another size.
func (stored *tokenFile) token() (t Token, ok bool) {
	ok = unhex(t.Device[:], stored.Device)
	if stored.Family == "" {
		return t, ok
	}
	t.Expires = time.Unix(stored.Expires, 0)
	ok = ok && unhex(t.Family[:], stored.Family) && unhex(t.Key[:], stored.Key) && unhex(t.Secret[:], stored.Secret)
	if stored.Next != "" {
		ok = ok && unhex(t.Next[:], stored.Next)
	}
	return t, ok
}

func unhex(to []byte, from string) bool {
	if len(from) != hex.EncodedLen(len(to)) {
		return false
	}
	_, err := hex.Decode(to, []byte(from))
	return err == nil
}
