package counts

import (
	"maps"
)

// UpdateError is the reason for which an update failed, as reports name it. Failures on the
// way to the update have the names of the faults of logins.
type UpdateError string

const (
	// UpdateLetIn: the server accepted an old client and offered no update.
	UpdateLetIn UpdateError = "let in without an update"
	// UpdateRefused: the server refused an old client and offered no update.
	UpdateRefused UpdateError = "refused"
	// UpdateOtherFile: the size or hash of the offered file is wrong.
	UpdateOtherFile UpdateError = "another file offered"
	// UpdateWrongContent: received bytes differ from the file at this offset, or the offset is
	// wrong.
	UpdateWrongContent UpdateError = "wrong content"
	// UpdateFrameLength: a frame does not have the length that frames of this file have.
	UpdateFrameLength UpdateError = "frames of other lengths"
	// UpdateFailed: the server reported that it cannot send the file.
	UpdateFailed UpdateError = "update failed"
	// NoUpdateError means that there is no error.
	NoUpdateError UpdateError = ""
)

// UpdateError returns the fault's name as the reason of a failed update.
func (f Fault) UpdateError() UpdateError { return UpdateError(f.String()) }

// UpdateErrors counts failed updates by reason. Only the goroutine of its clients may use it
// until they have ended.
type UpdateErrors map[UpdateError]uint64

// Counts returns a copy with plain strings, for reports.
func (m UpdateErrors) Counts() map[string]uint64 {
	counts := map[string]uint64{}
	for what, n := range m {
		counts[string(what)] = n
	}
	return counts
}

// Merge returns the sum of both counts and changes neither.
func (m UpdateErrors) Merge(o UpdateErrors) UpdateErrors {
	all := maps.Clone(m)
	if all == nil {
		all = UpdateErrors{}
	}
	for what, n := range o {
		all[what] += n
	}
	return all
}
