package roles

import (
	"os"
	"path/filepath"

	"gatepass/atomicfile"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process"
)

// noteBus writes the URL of the bus that this process serves to a file, so that 'gatepass
// admin' finds it. It returns the function that removes the file. If the file cannot be
// written, 'gatepass admin' needs --bus.url; the process serves all the same.
func noteBus(p *process.Process, url string) (forget func()) {
	file := filepath.Join(p.Config.Data, config.RunningFile)
	if err := atomicfile.Write(file, "."+config.RunningFile+"-*", atomicfile.Content([]byte(url+"\n"))); err != nil {
		p.Log.Warn("where the bus is could not be noted; tell 'gatepass admin' with --bus.url", "bus", url, "error", err)
	}
	return func() { _ = os.Remove(file) }
}
