package load

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
	// readyWithin is how long a child may take until it serves; a server that
	// opens a million accounts takes its time.
	readyWithin = 60 * time.Second
	// drainWithin is how long it may take to end.
	drainWithin = 20 * time.Second
	// tailBytes of a child's log are shown when it fails.
	tailBytes = 2000
)

// child is a server process of ours: it prints a line that begins with "ready"
// once it serves, and ends at SIGTERM.
type child struct {
	cmd *exec.Cmd
	log string // file that has its stderr
	// Ready is what followed "ready" on its line.
	ready string
	done  chan error // has what Wait returned
}

// childOptions is how to start one.
type childOptions struct {
	Name   string // for messages and the log's name
	Dir    string // for the log
	Binary string
	Args   []string
	Env    []string // beside ours
}

// startChild starts a process and waits until it is ready.
func startChild(ctx context.Context, o childOptions) (*child, error) {
	c := &child{log: filepath.Join(o.Dir, o.Name+".log"), done: make(chan error, 1)}
	// A file and not a pipe: a server that logs a lot must not cost its reader,
	// who is being measured, anything.
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
	errChildEnded = errors.New("it ended before it was ready")
	errChildSlow  = errors.New("it was not ready in time")
	errChildStuck = errors.New("it did not end when told to, and was killed")
)

// awaitReady reads the child's output up to the line, and throws the rest away
// for as long as it lives.
func (c *child) awaitReady(ctx context.Context, out io.Reader) error {
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
			return errChildEnded
		}
		return nil
	case <-limit.C:
		return errChildSlow
	case <-ctx.Done():
		return ctx.Err()
	}
}

// said is the value that the ready line gives a name: "gate" in "gate=ADDRESS".
func (c *child) said(name string) string {
	for _, word := range strings.Fields(c.ready) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// stop ends the child and waits for it. Its error says that it did not go well.
func (c *child) stop() error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	limit := time.NewTimer(drainWithin)
	defer limit.Stop()
	select {
	case err := <-c.done:
		return err
	case <-limit.C:
		_ = c.cmd.Process.Kill()
		<-c.done
		return errChildStuck
	}
}

// tail is the end of the child's log, for a person.
func (c *child) tail() string {
	b, err := os.ReadFile(c.log)
	if err != nil || len(b) == 0 {
		return ""
	}
	return "\n" + strings.TrimSpace(string(b[max(0, len(b)-tailBytes):]))
}
