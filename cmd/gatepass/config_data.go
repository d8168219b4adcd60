package main

import (
	"fmt"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/patches"
	"os"
	"path/filepath"
)

// storeDir returns the folder of the store within the data folder.
func (c *config) storeDir() string { return filepath.Join(c.Data, "accounts") }

// patchesDir returns the folder of the catalogue of patches within the data folder.
func (c *config) patchesDir() string { return filepath.Join(c.Data, "patches") }

// mustBeFolder returns an error if the data folder is a file.
func (c *config) mustBeFolder() error {
	if info, err := os.Stat(c.Data); err == nil && !info.IsDir() {
		return exit.Usage(fmt.Errorf("data: %s is a file, not a folder", c.Data))
	}
	return nil
}

// knownBuilds returns the builds that the configuration lets in.
func (c *config) knownBuilds() patches.Defaults {
	return patches.Defaults{Grunt: c.Builds, Native: c.NativeBuilds}
}
