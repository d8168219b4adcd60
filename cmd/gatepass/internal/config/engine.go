package config

import (
	"gatepass/admin"
	"gatepass/storage/pebble"
)

// defaultCacheMiB is the memory for blocks of the store, in MiB.
const defaultCacheMiB = pebble.DefaultCacheBytes >> 20

// AccountEngine returns the engine of the account store in a data folder. cacheMiB 0 takes
// the default. Nothing else in the commands and roles knows which engine that is.
func AccountEngine(dataDir string, cacheMiB int) pebble.Engine {
	return pebble.Engine{Options: pebble.Options{Dir: admin.StorePath(dataDir), CacheBytes: int64(cacheMiB) << 20}}
}
