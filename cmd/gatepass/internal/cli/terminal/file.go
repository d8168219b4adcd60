package terminal

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gatepass/atomicfile"
)

// WriteFile creates a file of mode 0600 with what write writes. After an error there is no
// such file. It replaces an existing file only with force.
func WriteFile(path string, force bool, write func(io.Writer) error) error {
	if _, err := os.Lstat(path); err == nil && !force {
		return fmt.Errorf("%s is there already; give --force to replace it", path)
	}
	return atomicfile.Write(path, "."+filepath.Base(path)+"-*", func(f *os.File) error { return write(f) })
}
