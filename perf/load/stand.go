package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"gatepass/codec/grunt"
)

// Stand is a test stand: what a bench starts to measure by itself, each in a
// process of its own, and all of it gone after Close. It belongs to one
// goroutine.
type Stand struct {
	binary        string
	dir           string
	floor, server *child
	gate          *child
}

// NewStand makes the stand's folder. Binary is the gatepass to run.
func NewStand(binary string) (*Stand, error) {
	dir, err := os.MkdirTemp("", "gatepass-bench-")
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return &Stand{binary: binary, dir: dir}, nil
}

// standConfig gives the server two worlds that do not register, so that its list
// of worlds is as long as the floor's.
const standConfig = `[[worlds]]
id = 1
name = "Demo One"
address = "127.0.0.1:8085"
kind = "pvp"
population = 0.5

[[worlds]]
id = 2
name = "Demo Two"
address = "127.0.0.1:8086"
kind = "rp"
population = 1.5
`

// demoName is the account that 'gatepass dev' makes unless it is there. It is, for to make
// one leaves behind more memory than the logins do that are to be measured.
const demoName = "DEMO"

// StartServer makes a store with the accounts and starts 'gatepass dev' on it,
// without demo worlds. env are settings in the form of the environment.
func (s *Stand) StartServer(ctx context.Context, accounts []Account, env ...string) (Target, error) {
	write := func(w io.Writer) error { return WriteAccounts(w, append([]Account{{demoName, demoName}}, accounts...)) }
	if err := s.importAccounts(ctx, importOptions{"accounts.csv", "grunt", write}); err != nil {
		return Target{}, err
	}
	return s.start(ctx, 0, env)
}

// StartNative is StartServer for players of the native protocol.
func (s *Stand) StartNative(ctx context.Context, players *Players, env ...string) (Target, error) {
	write := func(w io.Writer) error {
		return errors.Join(NewPlayers([]Account{{Name: demoName}}, false).WriteNDJSON(w), players.WriteNDJSON(w))
	}
	if err := s.importAccounts(ctx, importOptions{"accounts.ndjson", "native", write}); err != nil {
		return Target{}, err
	}
	return s.start(ctx, 1, env)
}

// start starts the server; target tells which of its listeners is played at: 0 is that
// of grunt, 1 the native one.
func (s *Stand) start(ctx context.Context, target int, env []string) (Target, error) {
	config := filepath.Join(s.dir, "server.toml")
	if err := os.WriteFile(config, []byte(standConfig), 0o600); err != nil {
		return Target{}, fmt.Errorf("load: %w", err)
	}
	ports, err := freePorts(3)
	if err != nil {
		return Target{}, err
	}
	s.server, err = startChild(ctx, childOptions{
		Name: "server", Dir: s.dir, Binary: s.binary, Env: env,
		Args: []string{
			"dev", "--data", s.data(), "--grunt", ports[0].String(), "--native", ports[1].String(), "--admin", ports[2].String(),
			"--config", config, "--bus.listen", "127.0.0.1:0", "--demo-worlds", "0",
		},
	})
	if err != nil {
		return Target{}, err
	}
	return Target{Addr: ports[target], PIDs: []int{s.server.pid()}}, nil
}

// data is the server's folder.
func (s *Stand) data() string { return filepath.Join(s.dir, "data") }

// importOptions is a file of accounts for one protocol, whose name says its format.
type importOptions struct {
	file, protocol string
	write          func(io.Writer) error
}

// importAccounts makes the server's folder and puts the accounts into it.
func (s *Stand) importAccounts(ctx context.Context, o importOptions) error {
	name := filepath.Join(s.dir, o.file)
	if err := writeFile(name, o.write); err != nil {
		return err
	}
	if err := os.Mkdir(s.data(), 0o700); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	out, err := exec.CommandContext(ctx, s.binary, "account", "import", "--data", s.data(), "--protocols", o.protocol, name).
		CombinedOutput()
	if err != nil {
		return fmt.Errorf("load: import accounts: %w\n%s", err, out[max(0, len(out)-tailBytes):])
	}
	return nil
}

func writeFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return nil
}

// BusURL is where the server's bus is, BusDir the folder that makes credentials
// for it. Only after StartServer.
func (s *Stand) BusURL() string { return s.server.said("bus") }

// BusDir is in the server's folder.
func (s *Stand) BusDir() string { return filepath.Join(s.data(), "bus") }

// GateOptions is the gate of a stand.
type GateOptions struct {
	// World is its id, 1 to 255; Capacity how many it lets in.
	World    uint8
	Capacity int
	Build    grunt.Build
}

// StartGate starts 'gatepass gateway' on the server's bus.
func (s *Stand) StartGate(ctx context.Context, o GateOptions) (Target, error) {
	id := strconv.Itoa(int(o.World))
	out, err := exec.CommandContext(ctx, s.binary, "bus", "add-world", id, "--dir", s.BusDir()).CombinedOutput()
	if err != nil {
		return Target{}, fmt.Errorf("load: credentials for the gate: %w\n%s", err, out[max(0, len(out)-tailBytes):])
	}
	s.gate, err = startChild(ctx, childOptions{
		Name: "gate", Dir: s.dir, Binary: s.binary,
		Args: []string{
			"gateway", "--data", s.data(), "--admin", "127.0.0.1:0", "--bus.url", s.BusURL(),
			"--gateway.id", id, "--gateway.name", "Bench", "--gateway.listen", "127.0.0.1:0",
			"--gateway.capacity", strconv.Itoa(o.Capacity), "--gateway.builds", strconv.Itoa(int(o.Build)),
			"--gateway.address", "127.0.0.1:8085", // nobody asks the list for it
		},
	})
	if err != nil {
		return Target{}, err
	}
	addr, err := netip.ParseAddrPort(s.gate.said("gate"))
	if err != nil {
		return Target{}, fmt.Errorf("load: the gate does not say where it listens: %w", err)
	}
	return Target{Addr: addr, PIDs: []int{s.gate.pid()}}, nil
}

// StartFloor starts 'gatepass bench floor'.
func (s *Stand) StartFloor(ctx context.Context) (Target, error) {
	var err error
	s.floor, err = startChild(ctx, childOptions{
		Name: "floor", Dir: s.dir, Binary: s.binary, Args: []string{"bench", "floor", "--listen", "127.0.0.1:0"},
	})
	if err != nil {
		return Target{}, err
	}
	addr, err := netip.ParseAddrPort(s.floor.ready)
	if err != nil {
		return Target{}, fmt.Errorf("load: the floor does not say where it listens: %w", err)
	}
	return Target{Addr: addr, PIDs: []int{s.floor.pid()}, Canned: true}, nil
}

// Close stops what was started and removes the folder. Its error tells of a
// server that did not end well, with the end of its log. A second Close does
// nothing.
func (s *Stand) Close() error {
	var all error
	children := []*child{s.floor, s.gate, s.server}
	s.floor, s.gate, s.server = nil, nil, nil
	for _, c := range children {
		if c == nil {
			continue
		}
		if err := c.stop(); err != nil {
			all = errors.Join(all, fmt.Errorf("load: %s at its end: %w%s", filepath.Base(c.cmd.Path), err, c.tail()))
		}
	}
	return errors.Join(all, os.RemoveAll(s.dir))
}

// freePorts finds loopback ports that nobody listens on. Somebody else may take
// one before the child does; then the child says so.
func freePorts(n int) ([]netip.AddrPort, error) {
	var addrs []netip.AddrPort
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
		defer l.Close() // all at the end, so that they differ
		addrs = append(addrs, l.Addr().(*net.TCPAddr).AddrPort())
	}
	return addrs, nil
}
