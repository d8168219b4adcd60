package client_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"gatepass/client"
	pb "gatepass/codec/native/gatepasspb"
)

// Numbers that do not fit each other are found before anything is made of them.
func TestUpdate_HostileOffers(t *testing.T) {
	for name, spoil := range map[string]func(m *pb.UpdateOffered){
		"no builds":       func(m *pb.UpdateOffered) { m.FromBuild = 0 },
		"a large build":   func(m *pb.UpdateOffered) { m.ToBuild = 65536 },
		"no hash":         func(m *pb.UpdateOffered) { m.Sha256 = nil },
		"a long hash":     func(m *pb.UpdateOffered) { m.Sha256 = make([]byte, 33) },
		"no size":         func(m *pb.UpdateOffered) { m.Size = 0 },
		"no size, no end": func(m *pb.UpdateOffered) { m.Size, m.ChunkHashes = 0, nil },
		"no chunk size":   func(m *pb.UpdateOffered) { m.ChunkSize = 0 },
		"no chunks":       func(m *pb.UpdateOffered) { m.ChunkHashes = nil },
		"a chunk less":    func(m *pb.UpdateOffered) { m.ChunkHashes = m.ChunkHashes[32:] },
		"a chunk more":    func(m *pb.UpdateOffered) { m.ChunkHashes = append(m.ChunkHashes, m.ChunkHashes[:32]...) },
		"half a hash":     func(m *pb.UpdateOffered) { m.ChunkHashes = m.ChunkHashes[16:] },
		"a huge size":     func(m *pb.UpdateOffered) { m.Size = 1<<64 - 1 },
		"huge and fitting": func(m *pb.UpdateOffered) {
			m.Size, m.ChunkSize, m.ChunkHashes = 1<<63, 1, make([]byte, 32)
		},
		"too many chunks": func(m *pb.UpdateOffered) {
			m.Size, m.ChunkSize, m.ChunkHashes = 257, 1, make([]byte, 257*32)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			f := updating(someFile(456_789, 1), func(u *updater) {
				m := offerOf(u.file)
				spoil(m)
				u.offer(m)
			})
			_, err := f.login(t, f.takingUpdates(), credentials())
			wantErr(t, err, client.ErrProtocol)
		})
	}
}

// No name that a server gives leads out of the folder, or to what is no file.
func TestUpdate_HostileNames(t *testing.T) {
	file := someFile(10, 1)
	for name, want := range map[string]string{
		"../x": "x", "..": "update-7-8", "": "update-7-8", ".": "update-7-8", "a/b": "a_b", `..\..\x`: "x", "/etc/passwd": "etc_passwd",
		`C:\x`: "C__x", "x:stream": "x_stream", "nul": "_nul", "Con.txt": "_Con.txt", "com1.tar.gz": "_com1.tar.gz", "LPT¹": "LPT",
		"com10": "com10", "x\x00y": "x_y", "x\x1b[2J": "x__2J", "-rf": "_-rf", ".hidden": "hidden", "x. . ": "x", "a b": "a_b",
		"ä世.bin": "ä世.bin", strings.Repeat("x", 500): strings.Repeat("x", 63), "patch.bin": "patch.bin",
	} {
		bubble(t, "", func(t *testing.T) {
			f := updating(file, func(u *updater) {
				m := offerOf(file)
				m.Name = name
				u.offer(m)
				if u.accepted() {
					u.serveFrom(0)
				}
			})
			offer, outer := f.offered(t, f.takingUpdates()), t.TempDir()
			dir := filepath.Join(outer, "in", "ner")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if offer.Name != want {
				t.Errorf("%q became %q, want %q", name, offer.Name, want)
			}
			if _, err := offer.Download(t.Context(), client.DownloadOptions{Dir: dir}); err != nil {
				t.Fatal(err)
			}
			wantFiles(t, dir, map[string][]byte{want: file})
			if entries, _ := os.ReadDir(outer); len(entries) != 1 {
				t.Errorf("outside of the folder: %v", entries)
			}
		})
	}
}

// A file whose chunks are right and whose whole is not is nothing to run.
func TestUpdate_AnOfferThatContradictsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := someFile(250_000, 1)
		f := updating(file, func(u *updater) {
			m := offerOf(file)
			m.Sha256[0] ^= 1
			u.offer(m)
			if u.accepted() {
				u.serveFrom(0)
			}
		})
		dir := t.TempDir()
		_, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir})
		wantErr(t, err, client.ErrUpdateData)
		wantFiles(t, dir, nil)
	})
}
