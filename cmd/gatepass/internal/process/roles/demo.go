package roles

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gatepass/cmd/gatepass/internal/process"
)

// firstGatePort is the port of the first demo world, where clients expect a world.
const firstGatePort = 8085

// firstNativeGatePort is the port of the first demo world for native clients.
const firstNativeGatePort = 8185

// demoStartLimit is how long a demo world may take to start.
const demoStartLimit = 20 * time.Second

// startDemoWorlds starts the demo worlds 1 to n, each in a process of its own.
func startDemoWorlds(ctx context.Context, p *process.Process, busURL string, n int) error {
	for id := 1; id <= n; id++ {
		d := &demoWorld{p: p, id: uint8(id), done: make(chan struct{})}
		if err := d.start(ctx, busURL); err != nil {
			return fmt.Errorf("demo world %d: %w", id, err)
		}
		p.Add(process.Part{Name: "demo world", Close: d.close})
		p.PrintText(fmt.Sprintf("demo world %d on %s, process %d; it ends with this process, and is yours to end once you start it again: %s", id, d.gate, d.cmd.Process.Pid, d.line),
			"demo world", "world", id, "gate", d.gate, "process", d.cmd.Process.Pid, "line", d.line)
	}
	return nil
}

// demoWorld is a process of `gatepass gateway` that this process starts and ends.
type demoWorld struct {
	p    *process.Process
	id   uint8
	cmd  *exec.Cmd
	gate string // its address for existing clients
	own  string // its address for native clients
	line string // its command line
	done chan struct{}
	// closing is closed before the process is told to end.
	closing chan struct{}
}

// demoEra returns the name and the builds of a demo world. A gate serves builds of one era
// only, because it sends the first message. The worlds have the eras in turn.
func demoEra(id uint8) (name, builds string) {
	switch id % 3 {
	case 1:
		return "Demo 1.12", "5875,6005,6141"
	case 2:
		return "Demo 3.3.5", "12340"
	}
	return "Demo 2.4.3", "8606"
}

// start starts the process and returns once it serves, or when ctx ends.
func (d *demoWorld) start(ctx context.Context, busURL string) error {
	c := d.p.Config
	self, err := os.Executable()
	if err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(c.Grunt)
	if err != nil {
		host = "127.0.0.1"
	}
	d.gate = freeNow(net.JoinHostPort(host, strconv.Itoa(firstGatePort+int(d.id)-1)))
	d.own = freeNow(net.JoinHostPort(host, strconv.Itoa(firstNativeGatePort+int(d.id)-1)))
	name, builds := demoEra(d.id)
	args := []string{
		"gateway", "--data", c.Data, "--bus.url", busURL, "--bus.dir", c.Bus.Dir, "--admin", "127.0.0.1:0",
		"--gateway.id", strconv.Itoa(int(d.id)), "--gateway.name", fmt.Sprintf("%s (%d)", name, d.id), "--gateway.builds", builds,
		"--gateway.listen", d.gate, "--gateway.native-listen", d.own,
		"--log.level", c.Log.Level, "--log.format", c.Log.Format,
	}
	if told := c.Reachable(); told != host {
		_, port, _ := net.SplitHostPort(d.gate)
		_, own, _ := net.SplitHostPort(d.own)
		args = append(args, "--gateway.address", net.JoinHostPort(told, port), "--gateway.native-address", net.JoinHostPort(told, own))
	}
	d.line = commandLine(self, args)
	d.closing = make(chan struct{})
	d.cmd = exec.Command(self, args...)
	d.cmd.Stderr = d.p.ErrOut
	// In a process group of its own it gets no Ctrl-C; this process ends it in order. It
	// also ends if this process is killed.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := d.cmd.Start(); err != nil {
		return err
	}
	ready := make(chan bool, 1)
	go d.watch(out, ready)
	select {
	case ok := <-ready:
		if ok {
			return nil
		}
		return errors.Join(errors.New("it ended before it was ready, see above"), d.close())
	case <-time.After(demoStartLimit):
		return errors.Join(fmt.Errorf("it was not ready within %v", demoStartLimit), d.close())
	case <-ctx.Done():
		return nil
	}
}

// watch reads the output of the process until it ends. It sends true to ready once the
// process serves, or false if it ends before.
func (d *demoWorld) watch(out io.Reader, ready chan<- bool) {
	defer close(d.done)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if isReady(lines.Bytes()) {
			ready <- true
		}
	}
	err := d.cmd.Wait()
	select {
	case ready <- false:
	default:
	}
	select {
	case <-d.closing:
	default:
		d.p.Log.Warn("a demo world has ended; start it again with the line below", "world", d.id, "error", err, "line", d.line)
	}
}

// isReady reports whether a line is the ready line of a process, in either format.
func isReady(line []byte) bool {
	var said struct{ Msg string }
	return bytes.HasPrefix(line, []byte("ready")) || json.Unmarshal(line, &said) == nil && said.Msg == "ready"
}

// close ends the process and waits for it.
func (d *demoWorld) close() error {
	close(d.closing)
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-d.done:
	case <-time.After(d.p.Config.DrainLimit + process.CloseLimit/2):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
	return nil
}

// commandLine returns a command as it is typed in a shell.
func commandLine(name string, args []string) string {
	words := []string{name}
	for _, a := range args {
		if strings.ContainsAny(a, " '\"$\\[]()*?&;|<>") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}
