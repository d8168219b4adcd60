package patches

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	must(t, err)
	return b
}

// proves tries the known value alone and among others, and with one bit of each part flipped.
func proves(t *testing.T, known [20]byte, a, proof []byte) {
	t.Helper()
	key, shown := [32]byte(a), [20]byte(proof)
	if !Intact([][20]byte{known}, &key, &shown) || !Intact([][20]byte{{}, known, {1}}, &key, &shown) {
		t.Errorf("the proof %x is not taken", proof)
	}
	otherKey, otherProof, otherKnown := key, shown, known
	otherKey[31] ^= 0x80
	otherProof[19] ^= 1
	otherKnown[0] ^= 1
	if Intact([][20]byte{known}, &otherKey, &shown) || Intact([][20]byte{known}, &key, &otherProof) || Intact([][20]byte{otherKnown, {}}, &key, &shown) {
		t.Errorf("the proof %x is taken with a bit turned", proof)
	}
}

func TestIntact_Vectors(t *testing.T) {
	b, err := os.ReadFile("testdata/crc_hash_login.tsv")
	must(t, err)
	rows := 0
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(f) < 4 {
			continue
		}
		rows++
		h := hmac.New(sha1.New, unhex(t, f[1]))
		h.Write(unhex(t, f[0]))
		proves(t, [20]byte(h.Sum(nil)), unhex(t, f[2]), unhex(t, f[3]))
	}
	if rows != 490 {
		t.Errorf("%d rows, want 490", rows)
	}
}

func TestIntact_RealClient(t *testing.T) {
	b, err := os.ReadFile("testdata/named_cases.jsonl")
	must(t, err)
	var named struct {
		Given  struct{ A, HMAC string }
		Expect struct {
			Hash string `json:"crc_hash"`
		}
	}
	must(t, json.Unmarshal(b, &named))
	proves(t, [20]byte(unhex(t, named.Given.HMAC)), unhex(t, named.Given.A), unhex(t, named.Expect.Hash))
}

func TestIntact_NothingKnownIsNoCheck(t *testing.T) {
	if !Intact(nil, new([32]byte), new([20]byte)) {
		t.Error("a client of which nothing is known is not let through")
	}
}

func TestFilesHMAC_IsOfTheFilesJoined(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "WoW.exe"), filepath.Join(dir, "empty.dll"), filepath.Join(dir, "fmod.dll")}
	h := hmac.New(sha1.New, IntegritySalt[:])
	for i, size := range []int{readPiece + 5, 0, 77} {
		h.Write(mustWrite(t, paths[i], size))
	}
	var last int64
	sum, err := FilesHMAC(paths, func(done int64) { last = done })
	must(t, err)
	if want := [20]byte(h.Sum(nil)); sum != want || last != readPiece+5+77 {
		t.Errorf("got %x after %d bytes, want %x", sum, last, want)
	}
	_, err = FilesHMAC(nil, nil)
	mustMean(t, err, "no files")
	_, err = FilesHMAC([]string{dir}, nil)
	mustMean(t, err, "no regular file")
	_, err = FilesHMAC([]string{filepath.Join(dir, "none")}, nil)
	mustMean(t, err, "none")
}
