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

// The files of an authority. A server needs those of the folder itself; who adds
// and revokes nodes needs the keys too, and should be the only one to have them.
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
	// ErrExists: the authority, the node or the file is there already.
	ErrExists = errors.New("is there already")
	// ErrNoAuthority: the folder holds none.
	ErrNoAuthority = errors.New("holds no bus authority; 'gatepass bus init' makes one")
	// ErrNoNode: the node was never added, or is revoked.
	ErrNoNode = errors.New("has no credentials")
)

// InitOptions say what an authority is for.
type InitOptions struct {
	// Region names it, in tokens and certificates: 1 to 32 of a-z, 0-9, - and _.
	Region string
	// Hosts are the DNS names and IP addresses under which nodes reach the
	// servers; loopback is always among them.
	Hosts []string
	// Now is when the certificates begin. NATS' tokens are stamped by its own
	// library, with the system's clock.
	Now time.Time
	// Random is where keys come from.
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

// Authority says who may speak on the bus of a region: it has the keys that
// servers trust, and signs each node's permissions. Neither a server nor a
// cluster is told of a new node: the node shows what was signed.
//
// One process changes a folder at a time, others wait. An Authority is not safe
// for concurrent use.
type Authority struct {
	dir    string
	random io.Reader
	region nkeys.KeyPair
	claims *jwt.AccountClaims
}

// InitAuthority makes the folder of an authority, of mode 0700 and its files
// 0600, and fails with ErrExists where there is one.
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
	// The operator's token is written last: with it, the authority is whole.
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

// OpenAuthority opens one that InitAuthority has made; new keys come from the
// system. The folder must hold the keys: a copy for a server does not.
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

// Dir is the authority's folder.
func (a *Authority) Dir() string { return a.dir }

// Region is the name it was made with.
func (a *Authority) Region() string { return a.claims.Name }

// CA is the file with the certificate that nodes verify servers with.
func (a *Authority) CA() string { return a.path(FileCA) }

// reload reads the region's token, which another process may have changed.
func (a *Authority) reload() error {
	claims, err := ReadAccount(a.path(FileRegion))
	if err != nil {
		return err
	}
	public, err := a.region.PublicKey()
	if err == nil && public != claims.Subject {
		err = fmt.Errorf("%s is not of the key in %s", FileRegion, fileRegionKey)
	}
	a.claims = claims
	return err
}

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

// Certify makes a new certificate for servers, for these hosts and loopback.
// Servers take it at their next start; nodes need nothing new. Region of o is
// ignored.
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

// changing runs a change of the folder while no other process does one.
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
