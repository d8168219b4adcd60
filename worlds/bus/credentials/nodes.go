package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"gatepass/worlds"
)

// AddNode creates credentials for a node and writes them to a file with mode 0600: the
// node's key and its signed permissions. It returns ErrExists if the node or the file
// exists. Whoever has the file can act as that node.
func (a *Authority) AddNode(node worlds.Node, file string) error {
	return a.onNode(node, func() error {
		switch old, err := a.active(node); {
		case err != nil:
			return err
		case old != nil:
			return ErrExists
		}
		if _, err := os.Lstat(file); err == nil {
			return fmt.Errorf("%s %w", file, ErrExists)
		}
		return a.issueTo(node, file)
	})
}

// ReplaceNode is AddNode for a node that may exist: it revokes the old credentials (see
// Revoke) and replaces an existing file.
func (a *Authority) ReplaceNode(node worlds.Node, file string) error {
	return a.onNode(node, func() error {
		if err := a.revoke(node); err != nil && !errors.Is(err, ErrNoNode) {
			return err
		}
		return a.issueTo(node, file)
	})
}

// Revoke makes servers refuse the node's present credentials for ever. An embedded server
// that uses this folder disconnects the node within about a second; other servers when they
// have the new region.jwt or nats-server.conf. The node may be added again, with another
// key.
func (a *Authority) Revoke(node worlds.Node) error {
	return a.onNode(node, func() error { return a.revoke(node) })
}

func (a *Authority) onNode(node worlds.Node, change func() error) error {
	if err := node.Validate(); err != nil {
		return err
	}
	if err := a.changing(change); err != nil {
		return fmt.Errorf("bus: node %s: %w", node, err)
	}
	return nil
}

func (a *Authority) record(node worlds.Node) string {
	return filepath.Join(a.dir, FolderNodes, string(node)+".jwt")
}

// issueTo writes the record before the credentials, so that there are no credentials that
// cannot be revoked.
func (a *Authority) issueTo(node worlds.Node, file string) error {
	creds, token, err := issue(issueOptions{
		name: string(node), permissions: PermissionsFor(node), by: a.region, random: a.random,
	})
	if err != nil {
		return err
	}
	defer clear(creds)
	if err := WriteFile(a.record(node), []byte(token)); err != nil {
		return err
	}
	if err := WriteFile(file, creds); err != nil {
		return errors.Join(err, os.Remove(a.record(node)))
	}
	return nil
}

// active returns the node's token, or nil if it has none or a revoked one.
func (a *Authority) active(node worlds.Node) (*jwt.UserClaims, error) {
	token, err := ReadFile(a.record(node))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	claims, err := jwt.DecodeUserClaims(string(token))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.record(node), err)
	}
	if a.revoked(claims) {
		return nil, nil
	}
	return claims, nil
}

func (a *Authority) revoked(user *jwt.UserClaims) bool {
	return a.claims.Revocations.IsRevoked(user.Subject, time.Unix(user.IssuedAt, 0))
}

func (a *Authority) revoke(node worlds.Node) error {
	user, err := a.active(node)
	if err != nil {
		return err
	}
	if user == nil {
		return ErrNoNode
	}
	// A key is signed only once, so the time of its only token is enough.
	a.claims.RevokeAt(user.Subject, time.Unix(user.IssuedAt, 0))
	return a.publish()
}

// publish signs the region's token again and writes it to all files that contain it.
func (a *Authority) publish() error {
	seed, err := ReadFile(a.path(fileOperatorKey))
	if err != nil {
		return err
	}
	defer clear(seed)
	operator, err := nkeys.FromSeed(seed)
	if err != nil {
		return err
	}
	defer operator.Wipe()
	t, err := a.tokens()
	if err != nil {
		return err
	}
	if t.region, err = a.claims.Encode(operator); err != nil {
		return err
	}
	conf, err := snippet(a.dir, t)
	if err != nil {
		return err
	}
	return errors.Join(WriteFile(a.path(FileRegion), []byte(t.region)), WriteFile(a.path(FileSnippet), conf))
}

// tokens returns the tokens that never change.
func (a *Authority) tokens() (t tokenSet, err error) {
	operator, err := ReadFile(a.path(FileOperator))
	if err != nil {
		return t, err
	}
	system, err := ReadFile(a.path(FileSystem))
	if err != nil {
		return t, err
	}
	claims, err := jwt.DecodeAccountClaims(string(system))
	if err != nil {
		return t, fmt.Errorf("%s: %w", FileSystem, err)
	}
	return tokenSet{
		operator: string(operator), system: string(system), systemID: claims.Subject, regionID: a.claims.Subject,
	}, nil
}

// NodeInfo describes a node that was added.
type NodeInfo struct {
	Node worlds.Node
	// Key is its public NKey.
	Key string
	// Added is when, to the second.
	Added   time.Time
	Revoked bool
}

// Nodes returns the nodes that were added, sorted by name. For a node that was revoked and
// added again it returns the latest credentials only.
func (a *Authority) Nodes() ([]NodeInfo, error) {
	if err := a.reload(); err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	entries, err := os.ReadDir(filepath.Join(a.dir, FolderNodes))
	if err != nil {
		return nil, fmt.Errorf("bus: %w", err)
	}
	var all []NodeInfo
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".jwt")
		if !ok || worlds.Node(name).Validate() != nil {
			continue
		}
		token, err := ReadFile(a.record(worlds.Node(name)))
		if err != nil {
			return nil, fmt.Errorf("bus: %w", err)
		}
		user, err := jwt.DecodeUserClaims(string(token))
		if err != nil {
			return nil, fmt.Errorf("bus: %s: %w", e.Name(), err)
		}
		all = append(all, NodeInfo{worlds.Node(name), user.Subject, time.Unix(user.IssuedAt, 0), a.revoked(user)})
	}
	slices.SortFunc(all, func(x, y NodeInfo) int { return strings.Compare(string(x.Node), string(y.Node)) })
	return all, nil
}

// NodeOf returns the node whose credentials a file holds. It does not check whether a
// server accepts them.
func NodeOf(credsFile string) (worlds.Node, error) {
	user, err := readCreds(credsFile)
	if err != nil {
		return "", err
	}
	node := worlds.Node(user.Name)
	return node, node.Validate()
}

// UpToDate reports whether the credentials in a file have exactly the permissions that this
// version gives such a node; see ReplaceNode.
func UpToDate(credsFile string) (bool, error) {
	user, err := readCreds(credsFile)
	if err != nil {
		return false, err
	}
	has, should := user.Permissions, PermissionsFor(worlds.Node(user.Name))
	return slices.Equal(has.Pub.Allow, should.Pub.Allow) && slices.Equal(has.Pub.Deny, should.Pub.Deny) &&
		slices.Equal(has.Sub.Allow, should.Sub.Allow), nil
}

func readCreds(file string) (*jwt.UserClaims, error) {
	content, err := ReadFile(file)
	if err != nil {
		return nil, err
	}
	defer clear(content)
	token, err := jwt.ParseDecoratedJWT(content)
	if err != nil {
		return nil, errors.New("holds no NATS credentials")
	}
	user, err := jwt.DecodeUserClaims(token)
	if err != nil {
		// The library's error may quote the input, which may be a key.
		return nil, errors.New("holds no NATS credentials")
	}
	return user, nil
}
