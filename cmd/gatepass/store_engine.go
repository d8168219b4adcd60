package main

import (
	"gatepass/admin"
	"gatepass/storage/pebble"
)

// defaultCacheMiB is the memory for blocks of the store, in MiB.
const defaultCacheMiB = pebble.DefaultCacheBytes >> 20

// accountEngine is the engine of the account store in a data folder. Nothing else in
// the commands and servers knows which engine that is. cacheMiB 0 is the default.
func accountEngine(dataDir string, cacheMiB int) pebble.Engine {
	return pebble.Engine{Options: pebble.Options{Dir: admin.StorePath(dataDir), CacheBytes: int64(cacheMiB) << 20}}
}
