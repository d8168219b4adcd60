package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"go.uber.org/goleak"
)

// program is the path of the gatepass under test; TestMain sets it before any
// test runs.
var program string

// sideBySide is how many tests run at once, where -parallel does not say it: they wait
// for servers most of the time, so that a processor each would stand idle. A test whose
// outcome hangs on how busy the machine is does not call t.Parallel.
const sideBySide = 6

func TestMain(m *testing.M) {
	flag.Parse()
	if !given("test.parallel") {
		// No error: it is a number, and the flag exists in every test binary.
		_ = flag.Set("test.parallel", strconv.Itoa(max(sideBySide, runtime.GOMAXPROCS(0))))
	}
	os.Exit(buildAndRun(m))
}

// given tells whether the command line sets that flag.
func given(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gatepass-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "gatepass")
	args := []string{"build", "-o", program}
	if raced {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "gatepass/cmd/gatepass")...)
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %v\n%s", build.Args, err, out)
		return 1
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
