package patches

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"errors"
	"hash"
	"io"
)

// IntegritySalt is the salt with which clients of the grunt protocol hash their files. It is
// the salt for which hashes are published, and it is the same for all clients. One hash for
// each build is therefore enough, and no file of a client is needed. It never changes.
var IntegritySalt = [16]byte{
	0xba, 0xa3, 0x1e, 0x99, 0xa0, 0x0b, 0x21, 0x57, 0xfc, 0x37, 0x3f, 0xb3, 0x69, 0xcd, 0xd2, 0xf1,
}

// Intact returns whether a client's proof was made over one of the known files: SHA1(A ‖
// HMAC). publicKey is the client's A, 32 bytes little-endian. Intact compares all known
// values, in a time that does not depend on them. If known is empty, it returns true: there is
// no check.
func Intact(known [][20]byte, publicKey *[32]byte, proof *[20]byte) bool {
	var message [32 + 20]byte
	copy(message[:], publicKey[:])
	found := 0
	for i := range known {
		copy(message[32:], known[i][:])
		want := sha1.Sum(message[:])
		found |= subtle.ConstantTimeCompare(want[:], proof[:])
	}
	return found == 1 || len(known) == 0
}

// FilesHMAC returns the HMAC-SHA1 under IntegritySalt of a client's files, concatenated in the
// order that the client's proof uses. progress, if not nil, gets the number of bytes that are
// done.
func FilesHMAC(paths []string, progress func(done int64)) (sum [20]byte, err error) {
	if len(paths) == 0 {
		return sum, errors.New("there are no files to hash")
	}
	h := &hashing{hmac.New(sha1.New, IntegritySalt[:])}
	done := int64(0)
	for _, path := range paths {
		n, err := h.file(path, func(n int64) {
			if progress != nil {
				progress(done + n)
			}
		})
		if err != nil {
			return sum, err
		}
		done += n
	}
	return [20]byte(h.Sum(nil)), nil
}

// hashing computes one hash.
type hashing struct{ hash.Hash }

func (h *hashing) write(piece []byte) { h.Write(piece) }

func (h *hashing) file(path string, progress func(done int64)) (int64, error) {
	f, info, err := openRegular(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := reading{from: f, to: io.Discard, size: info.size, progress: progress}
	return int64(info.size), r.run(context.Background(), h)
}
