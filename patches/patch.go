package patches

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gatepass/codec"
)

// errNoBuild is the error for build 0; builds begin at 1.
var errNoBuild = errors.New("0 is no build; they are 1 to 65535")

// Patch is a file that updates clients of one build to another.
type Patch struct {
	Scope
	// ID names the patch, such as "grunt-5875-6005" or "grunt-5875-6005-Win-x86-enUS". MakeID
	// makes it. It is safe in paths and shells.
	ID string
	// From and To are the builds, 1 … 65535; they differ.
	From, To uint16
	// Path is absolute or, when Taken, the file's name within the folder.
	Path  string
	Taken bool
	// Name is the file's name at clients: 1 … codec.MaxTransferName bytes, no path.
	Name string
	// Size is in bytes, at least 1. Modified is the file's time when its sums were made.
	Size     uint64
	Modified time.Time
	// MD5 and SHA256 are sums of the whole file. Hashes are the SHA-256s of its chunks, 32
	// bytes each, at most codec.MaxTransferChunks of them. A chunk has ChunkSize bytes (a
	// power of two, at least 256 KiB); the last chunk may be shorter.
	MD5       [16]byte
	SHA256    [32]byte
	ChunkSize uint32
	Hashes    []byte
	// Wrong is what Verify found wrong with the file, in a few words; "" for nothing.
	// WrongChanged is the file's change time at that check. While the file has that change
	// time, it is not offered. With another change time it is read again first.
	Wrong        string
	WrongChanged time.Time
}

// MakeID returns the value that ID must have.
func (p *Patch) MakeID() string {
	id := fmt.Sprintf("%s-%d-%d", p.Protocol, p.From, p.To)
	for _, part := range [...]string{p.Platform, p.Locale} {
		if part != "" {
			id += "-" + part
		}
	}
	return id
}

// File returns the path of the patch's file. dir is the catalogue's folder.
func (p *Patch) File(dir string) string {
	if p.Taken {
		return filepath.Join(dir, p.Path)
	}
	return p.Path
}

// sameContent returns whether p and q have the same file: the same content at the same path.
func (p *Patch) sameContent(q *Patch) bool {
	return p.Path == q.Path && p.Taken == q.Taken && p.Size == q.Size && p.SHA256 == q.SHA256
}

// same returns whether p and q are offered alike. The time does not matter.
func (p *Patch) same(q *Patch) bool {
	return p.sameContent(q) && p.ID == q.ID && p.Name == q.Name && p.MD5 == q.MD5 &&
		p.ChunkSize == q.ChunkSize && slices.Equal(p.Hashes, q.Hashes)
}

// sameWrong returns whether p and q have the same recorded fault.
func (p *Patch) sameWrong(q *Patch) bool {
	return p.Wrong == q.Wrong && p.WrongChanged.Equal(q.WrongChanged)
}

func comparePatches(a, b Patch) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), compareScopes(a.Scope, b.Scope))
}

func (p *Patch) validate() error {
	err := p.Scope.validate()
	switch {
	case err != nil:
	case p.From == 0 || p.To == 0:
		err = errNoBuild
	case p.From == p.To:
		err = fmt.Errorf("build %d cannot lead to itself", p.From)
	case p.ID != p.MakeID():
		err = fmt.Errorf("its name must be %s", p.MakeID())
	default:
		err = errors.Join(p.validatePath(), validateName(p.Name), p.validateSums(), p.validateWrong())
	}
	if err != nil {
		return fmt.Errorf("patch %s: %w", cmp.Or(p.ID, p.MakeID()), err)
	}
	return nil
}

func (p *Patch) validatePath() error {
	switch {
	case p.Path == "" || len(p.Path) > maxPath:
		return fmt.Errorf("a path has 1 to %d bytes", maxPath)
	case !utf8.ValidString(p.Path) || strings.ContainsRune(p.Path, 0):
		return fmt.Errorf("the path %q is not in UTF-8: rename the file", p.Path)
	case p.Taken && (p.Path != filepath.Base(p.Path) || !isTakenName(p.Path)):
		return fmt.Errorf("%q is no name of a file that was taken into the folder", p.Path)
	case !p.Taken && !filepath.IsAbs(p.Path):
		return fmt.Errorf("the path %q does not begin at the root", p.Path)
	}
	return nil
}

func (p *Patch) validateSums() error {
	switch {
	case p.Size == 0 || p.Size > maxSize:
		return fmt.Errorf("a size is 1 to %d bytes, not %d", uint64(maxSize), p.Size)
	case p.ChunkSize < minChunk || p.ChunkSize > maxChunk || p.ChunkSize&(p.ChunkSize-1) != 0:
		return fmt.Errorf("a chunk has %d to %d bytes, a power of two, not %d", minChunk, maxChunk, p.ChunkSize)
	case chunksOf(p.Size, p.ChunkSize) > codec.MaxTransferChunks:
		return fmt.Errorf("there are more than %d chunks", codec.MaxTransferChunks)
	case uint64(len(p.Hashes)) != chunksOf(p.Size, p.ChunkSize)*sha256.Size:
		return fmt.Errorf("%d bytes of hashes are not those of %d chunks", len(p.Hashes), chunksOf(p.Size, p.ChunkSize))
	}
	return nil
}

func (p *Patch) validateWrong() error {
	if len(p.Wrong) > maxWrong || !utf8.ValidString(p.Wrong) || Printable(p.Wrong) != p.Wrong {
		return fmt.Errorf("what is wrong with it is said in at most %d bytes that can be printed", maxWrong)
	}
	return nil
}

func chunksOf(size uint64, chunk uint32) uint64 { return (size + uint64(chunk) - 1) / uint64(chunk) }

// chunkFor returns the smallest chunk size for which an offer can name all chunks.
func chunkFor(size uint64) uint32 {
	chunk := uint32(minChunk)
	for chunk < maxChunk && chunksOf(size, chunk) > codec.MaxTransferChunks {
		chunk *= 2
	}
	return chunk
}

// notInNames are the characters that a client's file name must not have, because on some
// system they would lead to another place.
const notInNames = `/\:*?"<>|`

func validateName(name string) error {
	if name == "" || len(name) > codec.MaxTransferName {
		return fmt.Errorf("a name has 1 to %d bytes", codec.MaxTransferName)
	}
	if name != cleanName(name) {
		return fmt.Errorf("the name %q is not good for a file of every system", name)
	}
	return nil
}

// cleanName returns a name for clients, made from a file's own name.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || strings.ContainsRune(notInNames, r) {
			return '_'
		}
		return r
	}, name)
	if over := len(name) - codec.MaxTransferName; over > 0 {
		name = shorten(name, over)
	}
	if strings.Trim(name, ". ") != name || name == "" {
		name = "_" + strings.Trim(name, ". ")
	}
	return name
}

// shorten removes bytes before the name's extension, because programs depend on the extension.
func shorten(name string, over int) string {
	ending := filepath.Ext(name)
	if len(ending) > len(name)-over {
		ending = ""
	}
	stem := name[:len(name)-len(ending)-over]
	for !utf8.ValidString(stem) {
		stem = stem[:len(stem)-1]
	}
	return stem + ending
}
