package testbed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// readyWithin is how long a process may take until it is ready. A server with a million
	// accounts needs long.
	readyWithin = 60 * time.Second
	// drainWithin is how long a process may take to end.
	drainWithin = 20 * time.Second
	// tailBytes is how much of the end of a process's log an error shows.
	tailBytes = 2000
)

// process is a server process that the testbed has started. It prints a line that begins
// with "ready" once it serves, and ends at SIGTERM.
type process struct {
	cmd *exec.Cmd
	log string // path of the file with its stderr
	// ready is the rest of the line after "ready".
	ready string
	done  chan error // has the result of Wait once it has ended
}

// processOptions configures a process.
type processOptions struct {
	Name   string // for messages and the log's name
	Dir    string // for the log
	Binary string
	Args   []string
	Env    []string // in addition to this process's environment
}

// startProcess starts a process and waits until it is ready.
func startProcess(ctx context.Context, o processOptions) (*process, error) {
	c := &process{log: filepath.Join(o.Dir, o.Name+".log"), done: make(chan error, 1)}
	// The log goes to a file, not to a pipe: reading a pipe would cost this process CPU
	// time, which is measured too.
	log, err := os.Create(c.log)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer log.Close()
	c.cmd = exec.Command(o.Binary, o.Args...)
	c.cmd.Env = append(os.Environ(), o.Env...)
	c.cmd.Stderr = log
	ownGroup(c.cmd)
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("load: %s: %w", o.Name, err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("load: start the %s: %w", o.Name, err)
	}
	if err := c.awaitReady(ctx, out); err != nil {
		return nil, fmt.Errorf("load: %s: %w%s", o.Name, errors.Join(err, c.stop()), c.tail())
	}
	return c, nil
}

var (
	errEnded  = errors.New("it ended before it was ready")
	errSlow   = errors.New("it was not ready in time")
	errKilled = errors.New("it did not end when told to, and was killed")
)

// awaitReady reads the process's output up to the ready line, and discards the rest until
// the process ends.
func (c *process) awaitReady(ctx context.Context, out io.Reader) error {
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), "ready"); ok {
				ready <- strings.TrimSpace(rest)
				break
			}
		}
		_, _ = io.Copy(io.Discard, out) // until it ends
		close(ready)
		c.done <- c.cmd.Wait()
	}()
	limit := time.NewTimer(readyWithin)
	defer limit.Stop()
	select {
	case rest, ok := <-ready:
		c.ready = rest
		if !ok {
			return errEnded
		}
		return nil
	case <-limit.C:
		return errSlow
	case <-ctx.Done():
		return ctx.Err()
	}
}

// value returns the value of a name in the ready line: ADDRESS for "gate" in
// "gate=ADDRESS".
func (c *process) value(name string) string {
	for _, word := range strings.Fields(c.ready) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

func (c *process) pid() int { return c.cmd.Process.Pid }

// stop ends the process and waits for it. It returns the process's failure, or an error
// if the process had to be killed.
func (c *process) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // the process may have ended already
	limit := time.NewTimer(drainWithin)
	defer limit.Stop()
	select {
	case err := <-c.done:
		return err
	case <-limit.C:
		_ = c.cmd.Process.Kill()
		<-c.done
		return errKilled
	}
}

// tail returns the end of the process's log, for an error message.
func (c *process) tail() string {
	b, err := os.ReadFile(c.log)
	if err != nil || len(b) == 0 {
		return ""
	}
	return "\n" + strings.TrimSpace(string(b[max(0, len(b)-tailBytes):]))
}
