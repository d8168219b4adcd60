package patches

import "gatepass/codec"

// Client is what a client says it runs.
type Client struct {
	Protocol codec.Protocol
	// Build is 1 … 65535.
	Build uint16
	// System, Arch and Locale are the client's own words, such as "Win", "x86" and
	// "enUS"; a Scope's Platform is SYSTEM-ARCH, "Win-x86". They stay tags, so that no
	// text is made at every login.
	System, Arch, Locale codec.Tag
}

// Verdict says what is to become of a client.
type Verdict struct {
	// Allowed: its build is let in.
	Allowed bool
	// Update is the first file of the shortest way, by bytes, to a build that is let
	// in; nil where the client is let in or there is no way.
	Update *File
	// Steps is how many files the way has, Total their size in bytes.
	Steps int
	Total uint64
	// Offer is what a native client is told of Update, with the way's Steps and Total;
	// made once, never changed. Nil where Update is.
	Offer *codec.UpdateOffer
	// Known are the proofs of files that were not tampered with, made with IntegritySalt, one
	// of which a client of a build that is let in must show; empty for no check.
	Known [][20]byte
}

// File is a patch that can be sent: a codec.TransferSource. All methods may be called
// anywhere.
type File struct {
	// ID names the patch, From and To are the builds that it leads from and to.
	ID       string
	From, To uint16
	// Size is in bytes, MD5 that of the whole file.
	Size uint64
	MD5  [16]byte
}

// ReadVector is codec.TransferSource's.
func (f *File) ReadVector(pieces [][]byte, offset int64) error { panic("to be written") }

// Set is a catalogue with its files open. It never changes. All methods may be called
// anywhere; the nil Set knows no build.
type Set struct{}

// Judge says what is to become of a client.
func (s *Set) Judge(c Client) Verdict { panic("to be written") }
