package credentials

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
)

// identity is a certificate with its key, both in PEM.
type identity struct{ cert, key []byte }

// certificates creates the certificate authority of the region, and the certificate of the
// servers.
func certificates(o InitOptions) (ca, server identity, err error) {
	authority := template("gatepass bus of "+o.Region, o.Now)
	authority.IsCA, authority.BasicConstraintsValid = true, true
	authority.MaxPathLenZero = true
	authority.KeyUsage = x509.KeyUsageCertSign
	if ca, err = sign(authority, identity{}, o.Random); err != nil {
		return ca, server, err
	}
	server, err = serverCertificate(ca, o)
	return ca, server, err
}

// serverCertificate creates a certificate for the hosts and for loopback. The servers of a
// cluster also show it to each other, as clients and as servers.
func serverCertificate(ca identity, o InitOptions) (identity, error) {
	t := template("gatepass bus server of "+o.Region, o.Now)
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	for _, host := range append([]string{"localhost", "127.0.0.1", "::1"}, o.Hosts...) {
		if addr, err := netip.ParseAddr(host); err == nil {
			t.IPAddresses = append(t.IPAddresses, addr.AsSlice())
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return sign(t, ca, o.Random)
}

func template(name string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: name},
		// Valid since an hour ago, for nodes whose clock is behind.
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(certificateYears, 0, 0),
	}
}

// sign draws a key and creates a certificate for it, signed by parent, or by itself if
// parent is empty.
func sign(t *x509.Certificate, parent identity, random io.Reader) (id identity, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), random)
	if err != nil {
		return id, err
	}
	var serial [16]byte
	if _, err := io.ReadFull(random, serial[:]); err != nil {
		return id, err
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always 16 bytes
	t.SerialNumber = new(big.Int).SetBytes(serial[:])
	issuer, issuerKey := t, key
	if parent.cert != nil {
		if issuer, issuerKey, err = parent.parse(); err != nil {
			return id, err
		}
	}
	der, err := x509.CreateCertificate(random, t, issuer, &key.PublicKey, issuerKey)
	if err != nil {
		return id, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	id.cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	id.key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return id, err
}

func (id identity) parse() (*x509.Certificate, *ecdsa.PrivateKey, error) {
	pair, err := tls.X509KeyPair(id.cert, id.key)
	if err != nil {
		return nil, nil, err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, errors.New("the key is not an ECDSA key")
	}
	return pair.Leaf, key, nil
}

// checkHost accepts an IP address or a DNS name, which may be a wildcard.
func checkHost(host string) error {
	if _, err := netip.ParseAddr(host); err == nil {
		return nil
	}
	name := strings.TrimPrefix(host, "*.")
	if name == "" || len(name) > 253 {
		return fmt.Errorf("host %q: give a DNS name or an IP address", host)
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "-") != label {
			return fmt.Errorf("host %q: give a DNS name or an IP address, without a port", host)
		}
		for _, c := range []byte(strings.ToLower(label)) {
			if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return fmt.Errorf("host %q: give a DNS name or an IP address, without a port", host)
			}
		}
	}
	return nil
}

// ServerTLS returns the TLS settings of a server of the authority in dir, for nodes and for
// the other servers of a cluster.
func ServerTLS(dir string, now time.Time) (client, route *tls.Config, err error) {
	cert, key, roots, err := readCertificates(dir)
	if err != nil {
		return nil, nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, nil, fmt.Errorf("%s and %s do not match: %w", FileServerCert, fileServerKey, err)
	}
	if now.After(pair.Leaf.NotAfter) {
		return nil, nil, fmt.Errorf("%s expired at %s; create a new one with 'gatepass bus certify'",
			FileServerCert, pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	client = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	route = client.Clone()
	route.RootCAs, route.ClientCAs, route.ClientAuth = roots, roots, tls.RequireAndVerifyClientCert
	return client, route, nil
}

func readCertificates(dir string) (cert, key []byte, roots *x509.CertPool, err error) {
	roots = x509.NewCertPool()
	for file, to := range map[string]*[]byte{FileServerCert: &cert, fileServerKey: &key} {
		if *to, err = ReadFile(filepath.Join(dir, file)); err != nil {
			return nil, nil, nil, missing(err)
		}
	}
	ca, err := ReadFile(filepath.Join(dir, FileCA))
	if err != nil {
		return nil, nil, nil, missing(err)
	}
	if !roots.AppendCertsFromPEM(bytes.TrimSpace(ca)) {
		return nil, nil, nil, fmt.Errorf("%s holds no certificate", FileCA)
	}
	return cert, key, roots, nil
}

// missing adds what to do if err says that a file does not exist.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; 'gatepass bus init' creates it", err)
	}
	return err
}
