package credentials

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"gatepass/worlds"
)

// The files of an authority. A server needs those in the folder itself. The keys are needed
// only to add and revoke nodes, and should be on no other machine.
const (
	FileOperator   = "operator.jwt"
	FileRegion     = "region.jwt"
	FileSystem     = "system.jwt"
	FileCA         = "ca.pem"
	FileServerCert = "server.pem"
	fileServerKey  = "server.key"
	FileSetup      = "setup.creds"
	FileSecret     = "cluster.secret"
	FileSnippet    = "nats-server.conf"

	FolderKeys  = "keys"
	FolderNodes = "nodes"

	fileOperatorKey = FolderKeys + "/operator.nk"
	fileRegionKey   = FolderKeys + "/region.nk"
	fileSystemKey   = FolderKeys + "/system.nk"
	fileCAKey       = FolderKeys + "/ca.key"
)

// Errors of an authority.
var (
	// ErrExists: the authority, the node or the file exists already.
	ErrExists = errors.New("exists already")
	// ErrNoAuthority: the folder holds no authority.
	ErrNoAuthority = errors.New("holds no bus authority; create one with 'gatepass bus init'")
	// ErrNoNode: the node was never added, or is revoked.
	ErrNoNode = errors.New("has no credentials")
)

// InitOptions describe a new authority.
type InitOptions struct {
	// Region is the region's name in tokens and certificates: 1 to 32 of a-z, 0-9, - and _.
	Region string
	// Hosts are the DNS names and IP addresses of the servers. Loopback is added.
	Hosts []string
	// Now is the first day of the certificates. NATS' library stamps tokens with the
	// system's clock.
	Now time.Time
	// Random is the source of keys.
	Random io.Reader
}

func (o *InitOptions) validate() error {
	var faults []error
	// A region's name follows the rules of a node's.
	if worlds.LoginNode(o.Region).Validate() != nil {
		faults = append(faults, fmt.Errorf("region %q: give 1 to 32 of a-z, 0-9, - and _", o.Region))
	}
	for _, host := range o.Hosts {
		faults = append(faults, checkHost(host))
	}
	return errors.Join(faults...)
}

// Authority decides which nodes may connect to the bus of a region. It has the keys that
// servers trust, and signs the permissions of each node. Servers need no change for a new
// node, because the node shows the signed permissions.
//
// One process at a time changes a folder; others wait. An Authority is not safe for
// concurrent use.
type Authority struct {
	dir    string
	random io.Reader
	region nkeys.KeyPair
	claims *jwt.AccountClaims
}

// InitAuthority creates the folder of an authority, with mode 0700 and its files with mode
// 0600. It returns ErrExists if there is one.
func InitAuthority(dir string, o InitOptions) (*Authority, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	for _, folder := range []string{dir, filepath.Join(dir, FolderKeys), filepath.Join(dir, FolderNodes)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("bus: %w", err)
		}
	}
	release, err := LockFolder(filepath.Join(dir, FolderKeys), true)
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	defer release()
	// The operator's token is written last: if it exists, the authority is complete.
	if _, err := os.Lstat(filepath.Join(dir, FileOperator)); err == nil {
		return nil, fmt.Errorf("bus: an authority %w in %s", ErrExists, dir)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	if err := create(dir, o); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	return open(dir, o.Random)
}

// OpenAuthority opens an authority that InitAuthority has created. It returns an error for
// a folder without the keys, such as a copy for a server. New keys come from the system's
// random source.
func OpenAuthority(dir string) (*Authority, error) { return open(dir, rand.Reader) }

func open(dir string, random io.Reader) (*Authority, error) {
	if _, err := os.Lstat(filepath.Join(dir, FileOperator)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bus: %s %w", dir, ErrNoAuthority)
	}
	a := &Authority{dir: dir, random: random}
	seed, err := ReadFile(a.path(fileRegionKey))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bus: %w; the keys are where 'gatepass bus init' was run", err)
	}
	if err == nil {
		a.region, err = nkeys.FromSeed(seed)
	}
	clear(seed)
	if err == nil {
		err = a.reload()
	}
	if err != nil {
		return nil, fmt.Errorf("bus: %s: %w", dir, err)
	}
	return a, nil
}

func (a *Authority) path(file string) string { return filepath.Join(a.dir, file) }

// Dir returns the authority's folder.
func (a *Authority) Dir() string { return a.dir }

// Region returns the region's name.
func (a *Authority) Region() string { return a.claims.Name }

// CA returns the file with the certificate that nodes verify servers with.
func (a *Authority) CA() string { return a.path(FileCA) }

// reload reads the region's token again: another process may have changed it.
func (a *Authority) reload() error {
	claims, err := ReadAccount(a.path(FileRegion))
	if err != nil {
		return err
	}
	public, err := a.region.PublicKey()
	if err == nil && public != claims.Subject {
		err = fmt.Errorf("%s does not belong to the key in %s", FileRegion, fileRegionKey)
	}
	a.claims = claims
	return err
}

// ReadAccount reads the token of an account from a file.
func ReadAccount(path string) (*jwt.AccountClaims, error) {
	token, err := ReadFile(path)
	if err != nil {
		return nil, missing(err)
	}
	claims, err := jwt.DecodeAccountClaims(string(token))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return claims, nil
}

// Certify creates a new certificate for servers, for these hosts and loopback. Servers use
// it after their next start; nodes need no change. Region of o is ignored.
func (a *Authority) Certify(o InitOptions) error {
	o.Region = a.Region()
	if err := o.validate(); err != nil {
		return fmt.Errorf("bus: %w", err)
	}
	err := a.changing(func() error {
		var ca identity
		var err error
		if ca.cert, err = ReadFile(a.path(FileCA)); err != nil {
			return err
		}
		if ca.key, err = ReadFile(a.path(fileCAKey)); err != nil {
			return err
		}
		server, err := serverCertificate(ca, o)
		if err != nil {
			return err
		}
		return errors.Join(WriteFile(a.path(fileServerKey), server.key), WriteFile(a.path(FileServerCert), server.cert))
	})
	if err != nil {
		return fmt.Errorf("bus: certify: %w", err)
	}
	return nil
}

// changing runs a change of the folder while the folder is locked.
func (a *Authority) changing(change func() error) error {
	release, err := LockFolder(a.path(FolderKeys), true)
	if err != nil {
		return err
	}
	defer release()
	if err := a.reload(); err != nil {
		return err
	}
	return change()
}
