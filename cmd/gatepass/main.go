// Command gatepass is the login edge of an online game: one binary, one role a
// process or all in one. This package only wires the parts together; it alone
// may exit the process.
package main

import (
	"context"
	"errors"
	"io"
	"os"

	"gatepass/cmd/gatepass/internal/cli"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/cmd/gatepass/internal/process"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit code. 0 is success, 1 a
// failure, 2 a command line that makes no sense; commands document others.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := process.TrapSignals(context.Background(), errOut)
	defer stop()
	root := cli.Root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	process.PrintEnd(errOut, err, errors.As(err, new(exit.LoggedError)))
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		return coded.ExitCode()
	}
	return 1
}
