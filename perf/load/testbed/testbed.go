package testbed

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
	"gatepass/perf/load"
	"gatepass/perf/load/players"
)

// Testbed is a testbed: it starts the servers that a benchmark measures, each in a process
// of its own, and Close removes all of it. It is not safe for concurrent use.
type Testbed struct {
	binary        string
	dir           string
	floor, server *process
	gate          *process
}

// New makes the testbed's temporary folder. binary is the gatepass binary to run.
func New(binary string) (*Testbed, error) {
	dir, err := os.MkdirTemp("", "gatepass-bench-")
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return &Testbed{binary: binary, dir: dir}, nil
}

// serverConfig gives the server two configured worlds, so that its realm list is as long as
// the floor's.
const serverConfig = `[[worlds]]
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

// demoName is the account that 'gatepass dev' makes unless it exists. The testbed imports
// it, because making an account uses more memory than the logins that are measured.
const demoName = "DEMO"

// StartServer makes a store with the accounts and starts 'gatepass dev' on it, without
// demo worlds. env has settings in the form NAME=VALUE.
func (s *Testbed) StartServer(ctx context.Context, accounts []players.Account, env ...string) (load.Target, error) {
	write := func(w io.Writer) error {
		return players.WriteAccounts(w, append([]players.Account{{Name: demoName, Password: demoName}}, accounts...))
	}
	if err := s.importAccounts(ctx, importOptions{"accounts.csv", "grunt", write}); err != nil {
		return load.Target{}, err
	}
	return s.start(ctx, 0, env)
}

// StartNative is StartServer for players of the native protocol.
func (s *Testbed) StartNative(ctx context.Context, accounts *players.Native, env ...string) (load.Target, error) {
	write := func(w io.Writer) error {
		return errors.Join(players.NewNative([]players.Account{{Name: demoName}}, false).WriteNDJSON(w), accounts.WriteNDJSON(w))
	}
	if err := s.importAccounts(ctx, importOptions{"accounts.ndjson", "native", write}); err != nil {
		return load.Target{}, err
	}
	return s.start(ctx, 1, env)
}

// start starts the server. target selects the listener to measure: 0 is grunt, 1 is
// native.
func (s *Testbed) start(ctx context.Context, target int, env []string) (load.Target, error) {
	config := filepath.Join(s.dir, "server.toml")
	if err := os.WriteFile(config, []byte(serverConfig), 0o600); err != nil {
		return load.Target{}, fmt.Errorf("load: %w", err)
	}
	ports, err := freePorts(3)
	if err != nil {
		return load.Target{}, err
	}
	s.server, err = startProcess(ctx, processOptions{
		Name: "server", Dir: s.dir, Binary: s.binary, Env: env,
		Args: []string{
			"dev", "--data", s.data(), "--grunt", ports[0].String(), "--native", ports[1].String(), "--admin", ports[2].String(),
			"--config", config, "--bus.listen", "127.0.0.1:0", "--demo-worlds", "0",
		},
	})
	if err != nil {
		return load.Target{}, err
	}
	return load.Target{Addr: ports[target], PIDs: []int{s.server.pid()}}, nil
}

// data returns the server's data folder.
func (s *Testbed) data() string { return filepath.Join(s.dir, "data") }

// importOptions is a file of accounts for one protocol. Its name decides its format.
type importOptions struct {
	file, protocol string
	write          func(io.Writer) error
}

// importAccounts makes the server's data folder and imports the accounts.
func (s *Testbed) importAccounts(ctx context.Context, o importOptions) error {
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

// BusURL returns the address of the server's bus. It may only be called after StartServer.
func (s *Testbed) BusURL() string { return s.server.value("bus") }

// BusDir returns the folder with the credentials of the bus.
func (s *Testbed) BusDir() string { return filepath.Join(s.data(), "bus") }

// GateOptions configures the gate of a testbed.
type GateOptions struct {
	// World is its id, 1 to 255. Capacity is how many players it accepts.
	World    uint8
	Capacity int
	Build    grunt.Build
}

// StartGate starts 'gatepass gateway' on the server's bus.
func (s *Testbed) StartGate(ctx context.Context, o GateOptions) (load.Target, error) {
	id := strconv.Itoa(int(o.World))
	out, err := exec.CommandContext(ctx, s.binary, "bus", "add-world", id, "--dir", s.BusDir()).CombinedOutput()
	if err != nil {
		return load.Target{}, fmt.Errorf("load: credentials for the gate: %w\n%s", err, out[max(0, len(out)-tailBytes):])
	}
	s.gate, err = startProcess(ctx, processOptions{
		Name: "gate", Dir: s.dir, Binary: s.binary,
		Args: []string{
			"gateway", "--data", s.data(), "--admin", "127.0.0.1:0", "--bus.url", s.BusURL(),
			"--gateway.id", id, "--gateway.name", "Bench", "--gateway.listen", "127.0.0.1:0",
			"--gateway.capacity", strconv.Itoa(o.Capacity), "--gateway.builds", strconv.Itoa(int(o.Build)),
			"--gateway.address", "127.0.0.1:8085", // not used in this run
		},
	})
	if err != nil {
		return load.Target{}, err
	}
	addr, err := netip.ParseAddrPort(s.gate.value("gate"))
	if err != nil {
		return load.Target{}, fmt.Errorf("load: the gate does not say where it listens: %w", err)
	}
	return load.Target{Addr: addr, PIDs: []int{s.gate.pid()}}, nil
}

// StartFloor starts 'gatepass bench floor'.
func (s *Testbed) StartFloor(ctx context.Context) (load.Target, error) {
	var err error
	s.floor, err = startProcess(ctx, processOptions{
		Name: "floor", Dir: s.dir, Binary: s.binary, Args: []string{"bench", "floor", "--listen", "127.0.0.1:0"},
	})
	if err != nil {
		return load.Target{}, err
	}
	addr, err := netip.ParseAddrPort(s.floor.ready)
	if err != nil {
		return load.Target{}, fmt.Errorf("load: the floor does not say where it listens: %w", err)
	}
	return load.Target{Addr: addr, PIDs: []int{s.floor.pid()}, Canned: true}, nil
}

// Close stops all processes and removes the folder. Its error names processes that did not
// end cleanly, with the end of their logs. Further calls do nothing.
func (s *Testbed) Close() error {
	var all error
	children := []*process{s.floor, s.gate, s.server}
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

// freePorts returns loopback ports on which no process listens. Another process may take
// one before the server does; then the server fails with an error.
func freePorts(n int) ([]netip.AddrPort, error) {
	var addrs []netip.AddrPort
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
		defer l.Close() // not earlier, so that the ports differ
		addrs = append(addrs, l.Addr().(*net.TCPAddr).AddrPort())
	}
	return addrs, nil
}
