package credentials

import (
	"encoding/base64"
	"fmt"
	"io"
	"path/filepath"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"gatepass/worlds/bus/wire"
)

// SetupName is the server's own user, who makes the buckets.
const SetupName = "setup"

// files are the files of an authority, in the order in which they are written.
type files []struct {
	name    string
	content []byte
}

func (f *files) add(name string, content []byte) {
	*f = append(*f, struct {
		name    string
		content []byte
	}{name, content})
}

func (f files) write(dir string) error {
	for _, one := range f {
		if err := WriteFile(filepath.Join(dir, one.name), one.content); err != nil {
			return err
		}
	}
	return nil
}

// create makes all files in memory before it writes the first, so that an error leaves no
// files behind.
func create(dir string, o InitOptions) error {
	var f files
	keys, err := newKeys(o.Random)
	if err != nil {
		return err
	}
	for name, pair := range map[string]nkeys.KeyPair{
		fileOperatorKey: keys.operator, fileRegionKey: keys.region, fileSystemKey: keys.system,
	} {
		seed, err := pair.Seed()
		if err != nil {
			return err
		}
		f.add(name, seed)
	}
	ca, server, err := certificates(o)
	if err != nil {
		return err
	}
	f.add(fileCAKey, ca.key)
	f.add(FileCA, ca.cert)
	f.add(fileServerKey, server.key)
	f.add(FileServerCert, server.cert)
	secret, err := newSecret(o.Random)
	if err != nil {
		return err
	}
	f.add(FileSecret, secret)
	tokens, err := keys.tokens(o)
	if err != nil {
		return err
	}
	snippet, err := snippet(dir, tokens)
	if err != nil {
		return err
	}
	f.add(FileSetup, tokens.setup)
	f.add(FileSnippet, snippet)
	f.add(FileSystem, []byte(tokens.system))
	f.add(FileRegion, []byte(tokens.region))
	f.add(FileOperator, []byte(tokens.operator))
	return f.write(dir)
}

// newSecret draws the secret with which the servers of a cluster authenticate.
func newSecret(random io.Reader) ([]byte, error) {
	var b [24]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, err
	}
	return []byte(base64.RawURLEncoding.EncodeToString(b[:])), nil
}

// keySet holds the keys of a new authority.
type keySet struct{ operator, region, system nkeys.KeyPair }

func newKeys(random io.Reader) (k keySet, err error) {
	for prefix, to := range map[nkeys.PrefixByte][]*nkeys.KeyPair{
		nkeys.PrefixByteOperator: {&k.operator}, nkeys.PrefixByteAccount: {&k.region, &k.system},
	} {
		for _, pair := range to {
			if *pair, err = nkeys.CreatePairWithRand(prefix, random); err != nil {
				return k, err
			}
		}
	}
	return k, nil
}

// tokenSet holds the tokens that the keys sign.
type tokenSet struct {
	operator, region, system string
	// setup is the credentials file of the server's own user.
	setup []byte
	// regionID and systemID are the public keys of the accounts.
	regionID, systemID string
}

func (k keySet) tokens(o InitOptions) (t tokenSet, err error) {
	operatorID, err := k.operator.PublicKey()
	if err != nil {
		return t, err
	}
	if t.regionID, err = k.region.PublicKey(); err != nil {
		return t, err
	}
	if t.systemID, err = k.system.PublicKey(); err != nil {
		return t, err
	}
	operator := jwt.NewOperatorClaims(operatorID)
	operator.Name, operator.SystemAccount = "gatepass-"+o.Region, t.systemID
	if t.operator, err = operator.Encode(k.operator); err != nil {
		return t, err
	}
	system := jwt.NewAccountClaims(t.systemID)
	system.Name = "system"
	if t.system, err = system.Encode(k.operator); err != nil {
		return t, err
	}
	region := jwt.NewAccountClaims(t.regionID)
	region.Name, region.Limits = o.Region, regionLimits()
	if t.region, err = region.Encode(k.operator); err != nil {
		return t, err
	}
	t.setup, _, err = issue(issueOptions{name: SetupName, permissions: setupAccess().permissions(SetupName), by: k.region, random: o.Random})
	return t, err
}

// regionLimits returns the limits for all nodes together.
func regionLimits() jwt.OperatorLimits {
	return jwt.OperatorLimits{
		NatsLimits:    jwt.NatsLimits{Subs: jwt.NoLimit, Data: jwt.NoLimit, Payload: wire.MaxPayload},
		AccountLimits: jwt.AccountLimits{DisallowBearer: true, Conn: MaxNodes},
		JetStreamLimits: jwt.JetStreamLimits{
			DiskStorage: accountStore, Streams: 2, Consumer: maxConsumers, MaxBytesRequired: true,
		},
	}
}

// issueOptions describe the credentials of one node.
type issueOptions struct {
	name        string
	permissions jwt.Permissions
	by          nkeys.KeyPair
	random      io.Reader
}

// issue draws a key and signs its permissions. It returns the credentials file, and the
// token in it, which is not secret.
func issue(o issueOptions) (creds []byte, token string, err error) {
	pair, err := nkeys.CreatePairWithRand(nkeys.PrefixByteUser, o.random)
	if err != nil {
		return nil, "", err
	}
	defer pair.Wipe()
	public, err := pair.PublicKey()
	if err != nil {
		return nil, "", err
	}
	claims := jwt.NewUserClaims(public)
	claims.Name, claims.Permissions = o.name, o.permissions
	claims.Limits.Subs = MaxSubscriptions
	claims.AllowedConnectionTypes.Add(jwt.ConnectionTypeStandard, jwt.ConnectionTypeInProcess)
	if token, err = claims.Encode(o.by); err != nil {
		return nil, "", err
	}
	seed, err := pair.Seed()
	if err != nil {
		return nil, "", err
	}
	defer clear(seed)
	creds, err = jwt.FormatUserConfig(token, seed)
	return creds, token, err
}

// snippet returns a configuration for a NATS server that gatepass does not run.
func snippet(dir string, t tokenSet) ([]byte, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `# For a NATS server, 2.10 or later, that gatepass does not run. 'gatepass bus init',
# 'revoke' and 'certify' write this file anew; make changes in one that includes it:
#     include %[1]q
# Adding a node changes nothing here. After revoking one: nats-server --signal reload
# Then make the buckets, once:  gatepass bus setup --bus tls://HOST:4222
#
# For a cluster add on each server a server_name of its own and
#     cluster { name: gatepass, listen: "0.0.0.0:6222", routes: ["nats://OTHER:6222"], tls { ... } }
listen: "0.0.0.0:4222"
tls {
  cert_file: %[2]q
  key_file: %[3]q
}
operator: %[4]s
system_account: %[5]s
resolver: MEMORY
resolver_preload {
  %[5]s: %[6]s
  %[7]s: %[8]s
}
jetstream {
  store_dir: %[9]q
  max_memory_store: 0
  max_file_store: %[10]d
  sync_interval: always
}
max_payload: %[11]d
max_connections: %[12]d
max_pending: %[13]d
`, filepath.Join(whole, FileSnippet), filepath.Join(whole, FileServerCert), filepath.Join(whole, fileServerKey),
		t.operator, t.systemID, t.system, t.regionID, t.region, filepath.Join(whole, "jetstream"),
		MaxStore, wire.MaxPayload, MaxConnections, MaxPending), nil
}
