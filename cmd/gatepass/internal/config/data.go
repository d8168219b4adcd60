package config

import (
	"fmt"
	"os"
	"path/filepath"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/patches"
)

// StoreDir returns the folder of the store within the data folder.
func (c *Config) StoreDir() string { return filepath.Join(c.Data, "accounts") }

// PatchesDir returns the folder of the catalogue of patches within the data folder.
func (c *Config) PatchesDir() string { return filepath.Join(c.Data, "patches") }

// CheckData returns an error if the data folder is a file.
func (c *Config) CheckData() error {
	if info, err := os.Stat(c.Data); err == nil && !info.IsDir() {
		return exit.Usage(fmt.Errorf("data: %s is a file, not a folder", c.Data))
	}
	return nil
}

// KnownBuilds returns the builds that the configuration lets in.
func (c *Config) KnownBuilds() patches.Defaults {
	return patches.Defaults{Grunt: c.Builds, Native: c.NativeBuilds}
}
