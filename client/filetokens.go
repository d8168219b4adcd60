package client

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FileTokens is a TokenStore of one file for each account in a folder, readable by
// its owner only. A file is replaced by renaming a synced one over it, and the folder
// is synced behind that. Different accounts may be used at once. A folder is for one
// server, as every TokenStore is.
type FileTokens struct{ dir string }

const (
	tokenFormat = 1
	// maxTokenFile bounds what is read; a file has less than 500 bytes.
	maxTokenFile = 4 << 10
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
		return Token{}, fmt.Errorf("client: %s is no token of this version; remove it to sign in by password", f.path(account))
	}
	t, ok := stored.token()
	if !ok {
		return Token{}, fmt.Errorf("client: %s is damaged; remove it to sign in by password", f.path(account))
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
	// Always the same name: what a crash leaves of it is overwritten by the next.
	path := f.path(account)
	if err := writeSynced(path+".new", b); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncFolder(f.dir)
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
	return syncFolder(f.dir)
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

func writeSynced(path string, b []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err := file.Write(b); err != nil {
		return errors.Join(err, file.Close())
	}
	return errors.Join(file.Sync(), file.Close())
}

// syncFolder makes names durable. Where folders cannot be synced (Windows) the file
// system orders renames itself.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, d.Close())
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
