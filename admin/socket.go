package admin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// SocketPath is where the server of a data folder listens.
func SocketPath(dataDir string) string { return filepath.Join(dataDir, "gatepass.sock") }

// StorePath is the folder of a data folder's account store.
func StorePath(dataDir string) string { return filepath.Join(dataDir, "accounts") }

// maxSunPath is what fits into a socket address, with its ending zero.
const maxSunPath = 108

// withShortPath calls f with a name of the socket that fits into a socket
// address. A path that is too long is reached through the open folder, which
// Linux shows under /proc.
func withShortPath(path string, f func(short string) error) error {
	if len(path) < maxSunPath {
		return f(path)
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	short := fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path))
	if err := f(short); err != nil {
		return fmt.Errorf("the path %s is too long for a socket here, choose a shorter data folder: %w", path, err)
	}
	return nil
}

// listenSocket makes the socket with mode 0600 from its first moment. A socket
// file that nobody listens on is replaced.
func listenSocket(path string) (*net.UnixListener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		// The file that bind makes takes its mode from the socket's.
		return errors.Join(c.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) }), err)
	}}
	var listener net.Listener
	err := withShortPath(path, func(short string) (err error) {
		listener, err = config.Listen(context.Background(), "unix", short)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("admin: control socket: %w", err)
	}
	unix := listener.(*net.UnixListener)
	// The short path is gone by the time of closing; Listener removes the file.
	unix.SetUnlinkOnClose(false)
	return unix, os.Chmod(path, 0o600)
}

func removeStale(path string) error {
	conn, err := dialSocket(context.Background(), path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("admin: %w: another server answers on %s", ErrInUse, path)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return fmt.Errorf("admin: %s is in the way and not a socket", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("admin: control socket: %w", err)
	}
	return nil
}

func dialSocket(ctx context.Context, path string) (*net.UnixConn, error) {
	var conn net.Conn
	err := withShortPath(path, func(short string) (err error) {
		var d net.Dialer
		conn, err = d.DialContext(ctx, "unix", short)
		return err
	})
	if err != nil {
		return nil, err
	}
	return conn.(*net.UnixConn), nil
}

// nobodyListens tells that a dial failed because no server is there.
func nobodyListens(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}
