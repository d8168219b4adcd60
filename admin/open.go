package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"gatepass/accounts"
	"gatepass/storage"
)

// OpenOptions says which accounts a command works on.
type OpenOptions struct {
	// DataDir is the server's data folder.
	DataDir string
	// Engine opens the store, which is in StorePath(DataDir).
	Engine storage.Engine
	// Create makes the folder and the store if they are not there; otherwise
	// that is ErrNoData.
	Create bool
	// ReadOnly changes nothing in the folder, not even a file of the engine's own, so it
	// also works where nothing can be written. Changes get storage.ErrReadOnly, unless
	// a server does the work. Not together with Create.
	ReadOnly bool
	// Manager is passed on to New.
	Manager accounts.Options

	// wait replaces lockWait in tests.
	wait time.Duration
}

// Handle is a Manager on whichever store Open found.
type Handle struct {
	*accounts.Manager
	// Live tells that a running server does the work.
	Live bool

	closer io.Closer
}

// Close lets go of the store or the server.
func (h *Handle) Close() error { return h.closer.Close() }

// Open finds the accounts of a data folder: through the server that serves it, or by
// opening the store itself when there is no server. While the store is locked and nobody
// answers, it tries again for lockWait, because a server that starts is in that state for
// a moment; then it fails with ErrInUse.
func Open(ctx context.Context, o OpenOptions) (*Handle, error) {
	if err := o.checkFolders(); err != nil {
		return nil, err
	}
	if o.wait == 0 {
		o.wait = lockWait
	}
	patience, cancel := context.WithTimeoutCause(ctx, o.wait, ErrInUse)
	defer cancel()
	for {
		handle, err := o.open(ctx)
		if err == nil || !errors.Is(err, storage.ErrLocked) {
			return handle, err
		}
		if pause(patience, lockRetry); patience.Err() != nil {
			return nil, o.inUse(context.Cause(patience))
		}
	}
}

func (o *OpenOptions) inUse(cause error) error {
	if !errors.Is(cause, ErrInUse) {
		return cause
	}
	return fmt.Errorf("the accounts in %s are %w, and nobody answers on %s: is another 'gatepass account' command at work, or a server that does not start?",
		o.DataDir, ErrInUse, SocketPath(o.DataDir))
}

func (o *OpenOptions) open(ctx context.Context) (*Handle, error) {
	server, err := Dial(ctx, SocketPath(o.DataDir))
	switch {
	case err == nil:
		return &Handle{Manager: accounts.New(server, o.Manager), Live: true, closer: server}, nil
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("the server of %s belongs to another user: run this as that user or as root: %w", o.DataDir, err)
	case !nobodyListens(err):
		return nil, err
	}
	if err := o.checkOwner(); err != nil {
		return nil, err
	}
	client, err := storage.OpenClient(o.Engine, storage.OpenOptions{ReadOnly: o.ReadOnly})
	if errors.Is(err, storage.ErrNoStore) {
		return nil, o.noData()
	}
	if err != nil {
		return nil, err
	}
	return &Handle{Manager: accounts.New(client, o.Manager), closer: client}, nil
}

// checkFolders tells what is missing before something is made by accident.
func (o *OpenOptions) checkFolders() error {
	_, err := os.Stat(StorePath(o.DataDir))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: run this as the user that the server runs as, or as root while it runs", err)
	case !errors.Is(err, os.ErrNotExist):
		return err
	case o.Create:
		return os.MkdirAll(o.DataDir, 0o700)
	}
	return o.noData()
}

func (o *OpenOptions) noData() error {
	return fmt.Errorf("%w: %s holds no account store; name the server's data folder with --data, or make the first account with 'gatepass account add'", ErrNoData, o.DataDir)
}

// checkOwner keeps root from leaving files in a store that its server, another
// user, could not open afterwards. A store that is still to be made is root's.
func (o *OpenOptions) checkOwner() error {
	store, err := os.Stat(StorePath(o.DataDir))
	if err != nil || os.Geteuid() != 0 || o.ReadOnly {
		return nil
	}
	owner, known := ownerUID(store)
	if !known || owner == 0 {
		return nil
	}
	return fmt.Errorf("%s belongs to user %d, and root would leave files there that he cannot open: run this as him, for instance with 'sudo -u \\#%d'", StorePath(o.DataDir), owner, owner)
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
