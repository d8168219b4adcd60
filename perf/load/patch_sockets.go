package load

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// sockets is what the TCP sockets of this machine hold, in bytes: a server's memory that
// is not resident in it.
func (p procfs) sockets() (int64, error) {
	b, err := fs.ReadFile(p.root, "net/sockstat")
	if err != nil {
		return 0, fmt.Errorf("load: memory of sockets: %w", err)
	}
	pages, err := parseSockstat(b)
	if err != nil {
		return 0, fmt.Errorf("load: /proc/net/sockstat: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// parseSockstat returns the pages of TCP: "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 3".
func parseSockstat(b []byte) (int64, error) {
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || string(fields[0]) != "TCP:" {
			continue
		}
		for i := 1; i+1 < len(fields); i += 2 {
			if string(fields[i]) == "mem" {
				return strconv.ParseInt(string(fields[i+1]), 10, 64)
			}
		}
	}
	return 0, errProcFormat
}
