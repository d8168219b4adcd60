package patches

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// format is the version of the catalogue's file. A server refuses a version that it does not
// know. Otherwise it would skip what it cannot read and then write the file back without that.
const format = 1

type fileContent struct {
	Format  int         `json:"format"`
	Marks   []fileMark  `json:"marks"`
	Patches []filePatch `json:"patches"`
	Known   []fileKnown `json:"known"`
}

type fileScope struct {
	Protocol string `json:"protocol"`
	Platform string `json:"platform,omitempty"`
	Locale   string `json:"locale,omitempty"`
}

type fileMark struct {
	fileScope
	Build  uint16 `json:"build"`
	Status string `json:"status"`
}

type filePatch struct {
	ID string `json:"id"`
	fileScope
	From      uint16    `json:"from"`
	To        uint16    `json:"to"`
	Path      string    `json:"path"`
	Taken     bool      `json:"taken,omitempty"`
	Name      string    `json:"name"`
	Size      uint64    `json:"size"`
	Modified  time.Time `json:"modified"`
	MD5       hexBytes  `json:"md5"`
	SHA256    hexBytes  `json:"sha256"`
	ChunkSize uint32    `json:"chunk-size"`
	// Chunks are 32 bytes each, one line for each.
	Chunks       []hexBytes `json:"chunks"`
	Wrong        string     `json:"wrong,omitempty"`
	WrongChanged time.Time  `json:"wrong-changed,omitzero"`
}

type fileKnown struct {
	Build    uint16   `json:"build"`
	Platform string   `json:"platform,omitempty"`
	HMAC     hexBytes `json:"hmac"`
}

// hexBytes are written as hexadecimal digits in the file.
type hexBytes []byte

func (h hexBytes) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.AppendDecode(nil, text)
	return err
}

// fill copies h into to if the lengths match, and returns an error otherwise.
func (h hexBytes) fill(to []byte) error {
	if len(h) != len(to) {
		return fmt.Errorf("%x has %d bytes, not %d", []byte(h), len(h), len(to))
	}
	copy(to, h)
	return nil
}

// encode returns the catalogue's file. Equal catalogues give equal bytes.
func (c *Catalogue) encode() ([]byte, error) {
	content := fileContent{
		Format: format,
		Marks:  make([]fileMark, 0, len(c.Marks)), Patches: make([]filePatch, 0, len(c.Patches)), Known: make([]fileKnown, 0, len(c.Known)),
	}
	for _, m := range c.Marks {
		content.Marks = append(content.Marks, fileMark{scopeToFile(m.Scope), m.Build, m.Status.String()})
	}
	for i := range c.Patches {
		content.Patches = append(content.Patches, patchToFile(&c.Patches[i]))
	}
	for _, k := range c.Known {
		content.Known = append(content.Known, fileKnown{k.Build, k.Platform, k.HMAC[:]})
	}
	b := new(bytes.Buffer)
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(&content)
	return b.Bytes(), err
}

func scopeToFile(s Scope) fileScope { return fileScope{s.Protocol.String(), s.Platform, s.Locale} }

func patchToFile(p *Patch) filePatch {
	f := filePatch{
		ID: p.ID, fileScope: scopeToFile(p.Scope), From: p.From, To: p.To,
		Path: p.Path, Taken: p.Taken, Name: p.Name, Size: p.Size, Modified: p.Modified.UTC(),
		MD5: p.MD5[:], SHA256: p.SHA256[:], ChunkSize: p.ChunkSize,
		Wrong: p.Wrong, WrongChanged: p.WrongChanged.UTC(),
	}
	for at := 0; at < len(p.Hashes); at += len(p.SHA256) {
		f.Chunks = append(f.Chunks, p.Hashes[at:at+len(p.SHA256)])
	}
	return f
}

// decode reads the output of encode, also after edits by hand.
func decode(b []byte) (Catalogue, error) {
	var head struct{ Format int }
	if err := json.Unmarshal(b, &head); err != nil {
		return Catalogue{}, err
	}
	if head.Format > format {
		return Catalogue{}, fmt.Errorf("its format is %d, newer than the %d of this gatepass: use the one that wrote it", head.Format, format)
	}
	if head.Format != format {
		return Catalogue{}, fmt.Errorf("its format is %d; this gatepass knows %d", head.Format, format)
	}
	var content fileContent
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&content); err != nil {
		return Catalogue{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Catalogue{}, errors.New("something stands behind its end")
	}
	c, err := content.catalogue()
	if err != nil {
		return Catalogue{}, err
	}
	return c, c.validate()
}

func (content *fileContent) catalogue() (c Catalogue, err error) {
	if len(content.Marks) > maxMarks || len(content.Patches) > maxPatches || len(content.Known) > maxKnown {
		return c, fmt.Errorf("it has more than %d marks, %d patches or %d known files", maxMarks, maxPatches, maxKnown)
	}
	for _, m := range content.Marks {
		scope, e := m.scope()
		status, e2 := ParseStatus(m.Status)
		err = errors.Join(err, e, e2)
		c.Marks = append(c.Marks, Mark{scope, m.Build, status})
	}
	for i := range content.Patches {
		p, e := content.Patches[i].patch()
		err = errors.Join(err, e)
		c.Patches = append(c.Patches, p)
	}
	for _, f := range content.Known {
		k := Known{Build: f.Build, Platform: f.Platform}
		err = errors.Join(err, f.HMAC.fill(k.HMAC[:]))
		c.Known = append(c.Known, k)
	}
	return c, err
}

func (f fileScope) scope() (Scope, error) {
	protocol, err := ParseProtocol(f.Protocol)
	return Scope{protocol, f.Platform, f.Locale}, err
}

func (f *filePatch) patch() (Patch, error) {
	scope, err := f.scope()
	p := Patch{
		Scope: scope, ID: f.ID, From: f.From, To: f.To, Path: f.Path, Taken: f.Taken, Name: f.Name,
		Size: f.Size, Modified: f.Modified, ChunkSize: f.ChunkSize, Wrong: f.Wrong, WrongChanged: f.WrongChanged,
	}
	err = errors.Join(err, f.MD5.fill(p.MD5[:]), f.SHA256.fill(p.SHA256[:]))
	p.Hashes = make([]byte, 0, len(f.Chunks)*len(p.SHA256))
	var one [32]byte
	for _, chunk := range f.Chunks {
		err = errors.Join(err, chunk.fill(one[:]))
		p.Hashes = append(p.Hashes, one[:]...)
	}
	if err != nil {
		err = fmt.Errorf("patch %s: %w", f.ID, err)
	}
	return p, err
}
