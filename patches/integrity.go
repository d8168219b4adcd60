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

// IntegritySalt is the one under which clients of the grunt protocol are asked to hash
// their files: the one for which hashes are published, and the same for all, so that a
// hash for each build is enough and no file of a client is needed. Never changed.
var IntegritySalt = [16]byte{
	0xba, 0xa3, 0x1e, 0x99, 0xa0, 0x0b, 0x21, 0x57, 0xfc, 0x37, 0x3f, 0xb3, 0x69, 0xcd, 0xd2, 0xf1,
}

// Intact says whether the proof of a client with this public key (A, 32 bytes
// little-endian) was made over one of the known files: SHA1(A ‖ HMAC). All are compared,
// in a time that does not depend on them. Where nothing is known everything is intact:
// there is no check.
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

// FilesHMAC is the HMAC-SHA1 of a client's files, one behind the other in the order that
// its proof has them in, under IntegritySalt. progress, if not nil, is told how many
// bytes are done.
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

// hashing makes one hash.
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
