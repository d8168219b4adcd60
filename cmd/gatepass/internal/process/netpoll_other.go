//go:build !linux

package process

import "context"

// keepPolling is for Linux, where gnet and the runtime each have an epoll.
func keepPolling(context.Context, func() uint64) {}
