package admin

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatepass/patches"
)

// Patches is a folder with a catalogue of builds and patches. A server that runs on the
// same data folder follows what changes there by itself.
type Patches struct {
	// Dir is the folder, which is within the data folder.
	Dir string
}

// Scope says for which clients something is meant.
type Scope struct {
	Protocol string `json:"protocol"`
	// Platform and Locale are empty for any.
	Platform string `json:"platform,omitempty"`
	Locale   string `json:"locale,omitempty"`
}

// ScopeOf writes a scope.
func ScopeOf(s patches.Scope) Scope { return Scope{s.Protocol.String(), s.Platform, s.Locale} }

// Parse reads a scope. What a catalogue takes of it is the catalogue's to say.
func (s Scope) Parse() (patches.Scope, error) {
	protocol, err := patches.ParseProtocol(s.Protocol)
	return patches.Scope{Protocol: protocol, Platform: s.Platform, Locale: s.Locale}, err
}

// AddPatchRequest adds a file that leads clients of one build to another one. File is
// read once, which may take long.
type AddPatchRequest struct {
	File string `json:"file"`
	Scope
	From uint16 `json:"from"`
	To   uint16 `json:"to"`
	// Name is what clients call the file; empty for its own name.
	Name string `json:"name,omitempty"`
	// Take copies the file into the folder.
	Take bool `json:"take,omitempty"`
	// Replace puts it in the place of the patch that is there.
	Replace bool `json:"replace,omitempty"`
	// Require marks the build that it leads from as one that must update.
	Require bool `json:"require,omitempty"`
}

// AddPatchResult is how many bytes of the file are read; at last the patch's name
// instead.
type AddPatchResult struct {
	Read     int64  `json:"read,omitempty"`
	ID       string `json:"id,omitempty"`
	Replaced bool   `json:"replaced,omitempty"`
}

// RemovePatchesRequest takes patches out of the catalogue: all of them, or none if one
// is not there.
type RemovePatchesRequest struct {
	IDs []string `json:"ids"`
}

// RemovedPatch is a patch that is in the catalogue no more.
type RemovedPatch struct {
	ID   string `json:"id"`
	From uint16 `json:"from"`
	Scope
	// File is its path; Taken tells that it was a copy in the folder.
	File  string `json:"file"`
	Taken bool   `json:"taken"`
}

// MarkBuildsRequest says what builds are: all of them, or none if one cannot be marked.
type MarkBuildsRequest struct {
	Builds []uint16 `json:"builds"`
	Scope
	// Status is one of patches; "none" takes the marks back.
	Status string `json:"status"`
}

// KnownFilesRequest is a hash that clients of a build and platform may show of their
// files.
type KnownFilesRequest struct {
	Build    uint16 `json:"build"`
	Platform string `json:"platform"`
	// HMAC is 40 hex digits.
	HMAC string `json:"hmac"`
}

// ForgetFilesRequest takes all hashes of a build and platform back.
type ForgetFilesRequest struct {
	Build    uint16 `json:"build"`
	Platform string `json:"platform"`
}

// patchCommands are the commands that change the catalogue.
func patchCommands() []command {
	return []command{AddPatch(), RemovePatches(), MarkBuilds(), AddKnownFiles(), ForgetKnownFiles()}
}

// patchCommand is a command on the catalogue.
func patchCommand[Q, R any](name, audit string, do func(ctx context.Context, p *Patches, q *Q, tell func(R) error) error) Command[Q, R] {
	return Command[Q, R]{
		Info: Info{Name: name, May: PermissionPatches, Audit: audit, Changes: true},
		do: func(ctx context.Context, s *Services, q *Q, tell func(R) error) error {
			if s.Patches == nil {
				return ErrProtocol
			}
			return do(ctx, s.Patches, q, tell)
		},
	}
}

// AddPatch adds a patch.
func AddPatch() Command[AddPatchRequest, AddPatchResult] {
	return patchCommand("patch.add", "add-patch", func(ctx context.Context, at *Patches, q *AddPatchRequest, tell func(AddPatchResult) error) error {
		scope, err := q.Parse()
		if err != nil {
			return err
		}
		p, err := at.readFile(ctx, q, func(done int64) { _ = tell(AddPatchResult{Read: done}) })
		if err != nil {
			return err
		}
		p.Scope, p.From, p.To = scope, q.From, q.To
		p.ID = p.MakeID()
		if q.Name != "" {
			p.Name = q.Name
		}
		replaced, err := at.add(ctx, q, &p)
		if err != nil {
			return errors.Join(err, patches.Discard(at.Dir, &p))
		}
		return tell(AddPatchResult{ID: p.ID, Replaced: replaced})
	})
}

// readFile makes the sums, and the copy where one is asked for.
func (at *Patches) readFile(ctx context.Context, q *AddPatchRequest, progress func(done int64)) (patches.Patch, error) {
	if !q.Take {
		return patches.Measure(ctx, q.File, progress)
	}
	if err := at.makeData(); err != nil {
		return patches.Patch{}, err
	}
	return patches.Take(ctx, at.Dir, q.File, progress)
}

func (at *Patches) add(ctx context.Context, q *AddPatchRequest, p *patches.Patch) (replaced bool, err error) {
	err = at.Edit(ctx, func(cat *patches.Catalogue) error {
		replaced = q.Replace && cat.Find(p.ID) != nil
		if replaced {
			if _, err := cat.Remove(p.ID); err != nil {
				return err
			}
		}
		if err := cat.Add(*p); err != nil || !q.Require {
			return err
		}
		return cat.Mark(patches.Mark{Scope: p.Scope, Build: p.From, Status: patches.StatusUpdate})
	})
	return replaced, err
}

// RemovePatches removes patches.
func RemovePatches() Command[RemovePatchesRequest, RemovedPatch] {
	return patchCommand("patch.remove", "remove-patch", func(ctx context.Context, at *Patches, q *RemovePatchesRequest, tell func(RemovedPatch) error) error {
		var removed []RemovedPatch
		err := at.Edit(ctx, func(cat *patches.Catalogue) error {
			if _, err := FindPatches(cat, q.IDs); err != nil {
				return err
			}
			for _, id := range q.IDs {
				p, err := cat.Remove(id)
				if err != nil {
					return err
				}
				removed = append(removed, RemovedPatch{p.ID, p.From, ScopeOf(p.Scope), p.File(at.Dir), p.Taken})
			}
			return nil
		})
		for _, r := range removed {
			if err == nil {
				err = tell(r)
			}
		}
		return err
	})
}

// MarkBuilds marks builds.
func MarkBuilds() Command[MarkBuildsRequest, None] {
	return patchCommand("patch.mark", "mark-build", func(ctx context.Context, at *Patches, q *MarkBuildsRequest, _ func(None) error) error {
		scope, err := q.Parse()
		if err != nil {
			return err
		}
		status, err := patches.ParseStatus(q.Status)
		if err != nil && q.Status != "none" {
			return err
		}
		return at.Edit(ctx, func(cat *patches.Catalogue) error {
			for _, build := range q.Builds {
				if err := mark(cat, patches.Mark{Scope: scope, Build: build, Status: status}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// mark makes a mark; StatusUnknown takes one back.
func mark(cat *patches.Catalogue, m patches.Mark) error {
	if m.Status != patches.StatusUnknown {
		return cat.Mark(m)
	}
	err := cat.Unmark(m)
	if errors.Is(err, patches.ErrNotThere) {
		return fmt.Errorf("%s has no mark; 'gatepass patch list --json' prints those that there are", m)
	}
	return err
}

// AddKnownFiles adds a hash.
func AddKnownFiles() Command[KnownFilesRequest, None] {
	return patchCommand("patch.know-files", "know-files", func(ctx context.Context, at *Patches, q *KnownFilesRequest, _ func(None) error) error {
		known := patches.Known{Build: q.Build, Platform: q.Platform}
		sum, err := hex.DecodeString(q.HMAC)
		if err != nil || len(sum) != len(known.HMAC) {
			return fmt.Errorf("hmac: give %d hex digits", 2*len(known.HMAC))
		}
		copy(known.HMAC[:], sum)
		return at.Edit(ctx, func(cat *patches.Catalogue) error { return cat.SetKnown(known) })
	})
}

// ForgetKnownFiles takes hashes back. It is patches.ErrNotThere where there are none.
func ForgetKnownFiles() Command[ForgetFilesRequest, None] {
	return patchCommand("patch.forget-files", "forget-files", func(ctx context.Context, at *Patches, q *ForgetFilesRequest, _ func(None) error) error {
		return at.Edit(ctx, func(cat *patches.Catalogue) error { return cat.RemoveKnown(q.Build, q.Platform) })
	})
}

// Edit changes the catalogue, and makes the data folder if it is not there.
func (at *Patches) Edit(ctx context.Context, change func(*patches.Catalogue) error) error {
	if err := at.makeData(); err != nil {
		return err
	}
	return patches.Edit(ctx, at.Dir, change)
}

// makeData makes the data folder for its owner alone, whoever makes it.
func (at *Patches) makeData() error { return os.MkdirAll(filepath.Dir(at.Dir), 0o700) }
