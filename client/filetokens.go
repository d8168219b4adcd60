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

// FileTokens is a TokenStore with one file for each account in a folder. Only the owner can
// read the files. A file is replaced by renaming a synced one over it; then the folder is
// synced. Several programs on a machine may use a folder at once: a sign-in holds an advisory
// lock on a second file, which is never removed. A folder is for one server, like every
// TokenStore.
type FileTokens struct{ dir string }

const (
	tokenFormat = 1
	// maxTokenFile limits what is read, in bytes. A file has less than 500.
	maxTokenFile = 4 << 10
	// probeSize is about the size of a token's file, in bytes, so that Probe fails on a full
	// disk.
	probeSize = 512
	// lockEvery is the interval at which a held lock is tried again.
	lockEvery = 25 * time.Millisecond
	// leftAfter is the age after which no program can still write a temporary file.
	leftAfter = time.Minute
)

// tokenFile is the JSON in a token's file.
type tokenFile struct {
	Format  int    `json:"format"`
	Device  string `json:"device"`
	Family  string `json:"family,omitempty"`
	Key     string `json:"key,omitempty"`
	Secret  string `json:"secret,omitempty"`
	Next    string `json:"next,omitempty"`
	Expires int64  `json:"expires,omitempty"`
}

// NewFileTokens returns a store in the folder dir, which is made when it is needed.
func NewFileTokens(dir string) *FileTokens { return &FileTokens{dir: dir} }

// path returns the path of an account's file. Its name is hexadecimal, so it cannot lead out
// of the folder.
func (f *FileTokens) path(account string) string {
	return filepath.Join(f.dir, hex.EncodeToString([]byte(account))+".token")
}

// Load implements TokenStore. The error for a damaged file is not ErrNoToken.
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

// Save implements TokenStore.
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

// pattern returns the pattern of temporary files. Their names differ, because several
// programs may save the same token at once.
func (f *FileTokens) pattern(account string) string {
	return filepath.Base(f.path(account)) + ".*.new"
}

// sweep removes temporary files that crashes have left.
func (f *FileTokens) sweep(account string) {
	base := filepath.Base(f.path(account))
	entries, _ := os.ReadDir(f.dir) // a file that stays does no harm
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), base) || !strings.HasSuffix(e.Name(), ".new") {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > leftAfter {
			_ = os.Remove(filepath.Join(f.dir, e.Name()))
		}
	}
}

// Probe implements TokenProber. It writes a temporary file like Save and removes it.
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

// Lock implements TokenLocker. The lock is for one account and ends with the process.
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

// Forget implements TokenStore.
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

// readBounded reads a file up to one byte more than its limit.
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

// token converts the file's fields back; ok is false if one has another size.
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
