package accounts

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"syscall"

	"gatepass/storage"
)

// wireVersion is the version of the lines on the control socket; it changes when
// an old side would misunderstand a new one.
const wireVersion = 2

// oldestWire is the oldest version of a request that is answered. Version 1 had no
// devices in an account and no forever in a ban.
const oldestWire = 1

// Words for errors on the socket.
const (
	wordNotFound = "not_found"
	wordUnbanned = "not_banned"
	wordExists   = "exists"
	wordClosing  = "closing"
	wordFailed   = "failed"
	wordInvalid  = "invalid"
	wordCorrupt  = "corrupt"
	wordBusy     = "busy"
	wordProtocol = "protocol"
	wordTooLarge = "too_large"
	// wordUnreadable: what is stored is damaged. wordUnread: it could not be read just now.
	wordUnreadable = "unreadable"
	wordUnread     = "read_failed"
	wordSlow       = "timeout"
	wordInternal   = "internal"
)

type wireRequest struct {
	Version int      `json:"v"`
	ID      uint64   `json:"id"`
	Ops     []wireOp `json:"ops"`
}

type wireReply struct {
	Version int `json:"v"`
	// ID is the request's, 0 where the server speaks unasked.
	ID      uint64       `json:"id"`
	Results []wireResult `json:"results,omitempty"`
	// Error is a word; then there are no results.
	Error string `json:"error,omitempty"`
}

type wireOp struct {
	Op      string       `json:"op"`
	Name    string       `json:"name,omitempty"`
	Account *record      `json:"account,omitempty"`
	Ban     *banEntry    `json:"ban,omitempty"`
	Address netip.Prefix `json:"address,omitzero"`
	Limit   int          `json:"limit,omitempty"`
	// Family is of remove-device: a device's, or zeros for all. A device that is named
	// by its ID has Device instead: who does not know that must not take it for all.
	Family *hexID `json:"family,omitempty"`
	Device *hexID `json:"device,omitempty"`
	// Stored tells that the ban is out of an export, and its times those of a clock that
	// may have been wrong: they are not checked.
	Stored bool `json:"stored,omitempty"`
	// Keys asks devices for what signs them in, which an export takes along.
	Keys bool `json:"keys,omitempty"`
}

type wireResult struct {
	Error     string            `json:"error,omitempty"`
	Account   json.RawMessage   `json:"account,omitempty"`
	Accounts  []json.RawMessage `json:"accounts,omitempty"`
	Addresses []addressRecord   `json:"addresses,omitempty"`
	Damaged   []string          `json:"damaged,omitempty"`
	Devices   []deviceEntry     `json:"devices,omitempty"`
}

// opWord and opKind are two directions of one table: the operations that a
// client may ask for. Logins are the server's own and not among them, and neither is
// what hands out a device's keys.
func opWord(kind storage.OpKind) string {
	switch kind {
	case storage.OpGet:
		return "get"
	case storage.OpCreate:
		return "create"
	case storage.OpSetVerifier:
		return "set-verifier"
	case storage.OpSetFactors:
		return "set-factors"
	case storage.OpDelete:
		return "delete"
	case storage.OpBan:
		return "ban"
	case storage.OpUnban:
		return "unban"
	case storage.OpBanAddress:
		return "ban-address"
	case storage.OpUnbanAddress:
		return "unban-address"
	case storage.OpAddressBans:
		return "address-bans"
	case storage.OpList:
		return "list"
	case storage.OpDevices:
		return "devices"
	case storage.OpRemoveDevice:
		return "remove-device"
	}
	return ""
}

func opKind(word string) (storage.OpKind, bool) {
	for kind := storage.OpGet; kind <= storage.OpDevices; kind++ {
		if w := opWord(kind); w != "" && w == word {
			return kind, true
		}
	}
	return 0, false
}

func newWireOp(op *storage.Op) wireOp {
	w := wireOp{Op: opWord(op.Kind), Name: op.Name.String(), Ban: newBanEntry(&op.Ban), Address: op.Prefix, Limit: op.Limit, Keys: op.Kind == storage.OpDevices && !op.Brief}
	if op.Account != nil {
		r := fullRecord(op.Account, op.Devices, ColumnsTrinity)
		w.Account = &r
	}
	// An operator's ban has been checked; only an import has others.
	w.Stored = checkTime("ban.until", op.Ban.Until) != nil
	switch none := [16]byte{}; {
	case op.Device == nil:
	case op.Device.Family == none && op.Device.ID != none:
		w.Device = (*hexID)(&op.Device.ID)
	default:
		w.Family = (*hexID)(&op.Device.Family)
	}
	return w
}

// op checks what a client sent as thoroughly as if it had come from a file.
func (w *wireOp) op() (storage.Op, error) {
	kind, ok := opKind(w.Op)
	if !ok {
		return storage.Op{}, ErrProtocol
	}
	op := storage.Op{Kind: kind, Prefix: w.Address, Limit: min(max(w.Limit, 1), listPage), Brief: kind == storage.OpDevices && !w.Keys}
	var err error
	if w.Name != "" {
		if op.Name, err = ParseName(w.Name); err != nil {
			return op, err
		}
	}
	if op.Ban, err = w.Ban.ban(); err != nil {
		return op, err
	}
	if err := checkTime("ban.until", op.Ban.Until); err != nil && !w.Stored {
		return op, err
	}
	if w.Account != nil {
		if err := w.takeAccount(&op); err != nil {
			return op, err
		}
	}
	switch {
	case w.Family != nil:
		op.Device = &storage.Device{Family: *w.Family}
	case w.Device != nil && *w.Device != hexID{}:
		op.Device = &storage.Device{ID: *w.Device}
	}
	return op, checkComplete(&op)
}

// takeAccount gives op the account and the devices that it stores. Their times are
// taken as they are: they may be those of a clock that was wrong.
func (w *wireOp) takeAccount(op *storage.Op) error {
	account, err := w.Account.stored()
	if err != nil {
		return err
	}
	if account.Grunt.Set && weak(&account.Grunt) {
		return errWeak
	}
	if err := checkOthers(account.Others); err != nil {
		return err
	}
	op.Devices, err = w.Account.devices()
	op.Account, op.Name = &account, account.Name
	return err
}

// checkComplete refuses an op that lacks what its kind needs.
func checkComplete(op *storage.Op) error {
	complete := true
	switch op.Kind {
	case storage.OpCreate, storage.OpSetVerifier, storage.OpSetFactors:
		complete = op.Account != nil
	case storage.OpRemoveDevice:
		complete = op.Name != storage.Name{} && op.Device != nil
	case storage.OpGet, storage.OpDelete, storage.OpUnban, storage.OpDevices:
		complete = op.Name != storage.Name{}
	case storage.OpBan:
		complete = op.Name != storage.Name{} && op.Ban.Set
	case storage.OpBanAddress:
		complete = op.Prefix.IsValid() && op.Prefix == op.Prefix.Masked() && op.Ban.Set
	case storage.OpUnbanAddress:
		complete = op.Prefix.IsValid()
	}
	if !complete {
		return ErrProtocol
	}
	return nil
}

// newWireResult leaves out accounts that would not fit into room bytes; a list
// may be cut short, but never to nothing.
func newWireResult(op *storage.Op, r *storage.Result, room int) wireResult {
	if r.Err != nil {
		return wireResult{Error: errorWord(r.Err)}
	}
	var w wireResult
	if r.Account != nil {
		w.Account = rawRecord(r.Account)
		room -= len(w.Account)
	}
	for i := range r.Accounts {
		raw := rawRecord(&r.Accounts[i])
		if room -= len(raw) + 1; room < 0 && i > 0 {
			return w
		}
		w.Accounts = append(w.Accounts, raw)
	}
	w.Damaged = r.Damaged
	for _, b := range r.AddressBans {
		w.Addresses = append(w.Addresses, addressRecord{b.Prefix, newBanEntry(&b.Ban)})
	}
	for i := range r.Devices {
		d := newDeviceEntry(&r.Devices[i])
		if op.Brief {
			d.Key, d.Verifier = hexKey{}, hexKey{}
		}
		w.Devices = append(w.Devices, d)
	}
	return w
}

func rawRecord(a *storage.Account) json.RawMessage {
	line := appendLine(nil, newRecord(a, ColumnsTrinity))
	return line[:len(line)-1]
}

func (w *wireResult) result(op *storage.Op) (storage.Result, error) {
	r := storage.Result{Kind: op.Kind, Tag: op.Tag, Name: op.Name, Damaged: w.Damaged, Err: wordError(w.Error)}
	if w.Account != nil {
		account, err := parseStored(w.Account)
		if err != nil {
			return r, err
		}
		r.Account = &account
	}
	for _, raw := range w.Accounts {
		account, err := parseStored(raw)
		if err != nil {
			return r, err
		}
		r.Accounts = append(r.Accounts, account)
	}
	for _, b := range w.Addresses {
		ban, err := b.Ban.ban()
		if err != nil {
			return r, err
		}
		r.AddressBans = append(r.AddressBans, storage.AddressBan{Prefix: b.Address, Ban: ban})
	}
	for i := range w.Devices {
		d, keyed := w.Devices[i].device(), w.Devices[i]
		d.Key, d.Verifier = keyed.Key, keyed.Verifier
		r.Devices = append(r.Devices, d)
	}
	return r, nil
}

func parseStored(raw json.RawMessage) (storage.Account, error) {
	var r record
	if json.Unmarshal(raw, &r) != nil {
		return storage.Account{}, ErrProtocol
	}
	return r.stored()
}

// stored reads a record that this package wrote: salt and verifier or none. A
// weak verifier passes: an account that has one must still be shown.
func (r *record) stored() (storage.Account, error) {
	account, err := r.account()
	if err == nil && r.Salt != "" {
		account.Grunt, err = decodeTrinity(r.Salt, r.Verifier)
	}
	return account, err
}

// errorWord and wordError are two directions of one table. What has no word is
// sealed: the cause stays in the server's log. A read's error is never a write's.
func errorWord(err error) string {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return wordNotFound
	case errors.Is(err, storage.ErrNotBanned):
		return wordUnbanned
	case errors.Is(err, storage.ErrExists):
		return wordExists
	case errors.Is(err, storage.ErrClosed), errors.Is(err, ErrServerClosing):
		return wordClosing
	case errors.Is(err, storage.ErrInvalid):
		return wordInvalid
	case errors.Is(err, storage.ErrCorrupt), errors.Is(err, storage.ErrRecordVersion):
		return wordCorrupt
	case errors.Is(err, ErrServerBusy):
		return wordBusy
	case errors.Is(err, ErrProtocol):
		return wordProtocol
	case errors.Is(err, ErrTooLarge):
		return wordTooLarge
	case errors.Is(err, storage.ErrUnreadable):
		return wordUnreadable
	case errors.Is(err, storage.ErrReadFailed):
		return withErrno(wordUnread, err)
	case errors.Is(err, storage.ErrFailed):
		return withErrno(wordFailed, err)
	case errors.Is(err, context.DeadlineExceeded):
		return wordSlow
	}
	return wordInternal
}

// withErrno adds what the disk says to a word, and nothing else of the cause.
func withErrno(word string, err error) string {
	if cause, ok := errors.AsType[syscall.Errno](err); ok {
		return word + ": " + cause.Error()
	}
	return word
}

func wordError(word string) error {
	switch word {
	case "":
		return nil
	case wordNotFound:
		return storage.ErrNotFound
	case wordUnbanned:
		return storage.ErrNotBanned
	case wordExists:
		return storage.ErrExists
	case wordClosing:
		return ErrServerClosing
	case wordBusy:
		return ErrServerBusy
	case wordTooLarge:
		return ErrTooLarge
	case wordInvalid:
		return storage.ErrInvalid
	case wordCorrupt:
		return storage.ErrCorrupt
	case wordFailed:
		return storage.ErrFailed
	case wordUnreadable:
		return storage.ErrUnreadable
	case wordUnread:
		return &UnreadError{}
	case wordSlow:
		return ErrServerSlow
	case wordInternal:
		return ErrServerFault
	}
	if reason, ok := strings.CutPrefix(word, wordFailed+": "); ok {
		return &RefusedError{Reason: reason}
	}
	if reason, ok := strings.CutPrefix(word, wordUnread+": "); ok {
		return &UnreadError{Reason: reason}
	}
	return ErrProtocol
}
