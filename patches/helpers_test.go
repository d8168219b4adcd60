package patches

import (
	"bytes"
	"crypto/sha256"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/codec"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashDir) != "" {
		crashInEdit(os.Getenv(crashDir))
	}
	goleak.VerifyTestMain(m)
}

// waitLimit is how long a test waits for an expected event.
const waitLimit = 10 * time.Second

func grunt(from, to uint16) Patch {
	return Patch{Scope: Scope{Protocol: codec.ProtocolGrunt}, From: from, To: to}
}

// madeUp returns a patch that has no file.
func madeUp(p Patch, size uint64) Patch {
	p.Size, p.ChunkSize = size, chunkFor(size)
	p.Path, p.Name = "/srv/"+p.MakeID(), p.MakeID()
	p.ID, p.SHA256 = p.MakeID(), sha256.Sum256([]byte(p.MakeID()))
	p.Hashes = bytes.Repeat(p.SHA256[:], int(chunksOf(p.Size, p.ChunkSize)))
	p.Modified = time.Unix(1_700_000_000, 123456789).UTC()
	return p
}

// mustWrite makes a file with that many random bytes.
func mustWrite(t testing.TB, path string, size int) []byte {
	t.Helper()
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(size), byte(size >> 8)})
	_, _ = r.Read(b)
	must(t, os.WriteFile(path, b, 0o600))
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mustAdd measures a new file and adds it to the folder's catalogue.
func mustAdd(t testing.TB, dir string, p Patch, size int) Patch {
	t.Helper()
	path := filepath.Join(t.TempDir(), p.MakeID()+".mpq")
	mustWrite(t, path, size)
	m, err := Measure(t.Context(), path, nil)
	must(t, err)
	m.Scope, m.From, m.To, m.ID = p.Scope, p.From, p.To, p.MakeID()
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { return c.Add(m) }))
	return m
}

func mustLoad(t testing.TB, dir string) Catalogue {
	t.Helper()
	c, err := Load(dir)
	must(t, err)
	return c
}

// mustMean fails unless the error contains all words.
func mustMean(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error %q does not say %q", err, word)
		}
	}
}

// journal stores the output of a test's logger.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) count(words string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Count(j.b.String(), words)
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

func tag(text string) (t codec.Tag) {
	copy(t[:], text)
	return t
}

func client(protocol codec.Protocol, build uint16, platform, locale string) Client {
	system, arch, _ := strings.Cut(platform, "-")
	return Client{protocol, build, tag(system), tag(arch), tag(locale)}
}
