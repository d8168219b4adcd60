package config

import (
	"time"

	"gatepass/logic"
	"gatepass/server"
	"gatepass/worlds/dns"
)

// generalDefaults returns the default of each key that has one other than the zero value.
func generalDefaults() map[string]any {
	return map[string]any{
		"data": "data", "grunt": "127.0.0.1:3724", "native": "127.0.0.1:3725", "admin": "127.0.0.1:9724",
		"builds":   []uint16{5875, 6005, 6141, 8606, 12340}, // 1.12.1 to 1.12.3, 2.4.3, 3.3.5a
		"pin-core": -1, "drain-limit": 5 * time.Second,
		"sessions.reconnect-grace":     logic.DefaultReconnectGrace,
		"sessions.connected-limit":     logic.DefaultConnectedLimit,
		"sessions.proving-limit":       logic.DefaultProvingLimit,
		"sessions.choosing-limit":      logic.DefaultChoosingLimit,
		"storage.cache-mib":            defaultCacheMiB,
		"sessions.refresh-every":       logic.DefaultRefreshEvery,
		"sessions.ping-every":          logic.DefaultPingEvery,
		"sessions.sign-ins-per-minute": logic.DefaultSignInsPerMinute,
		"sessions.pass-validity":       logic.DefaultPassValidity,
		"sessions.device-lifetime":     logic.DefaultDeviceLifetime,
		"updates.rate":                 100.0, "updates.client-rate": 0.0, "updates.at-once": logic.DefaultUpdatesAtOnce,
		"updates.stall-limit": server.DefaultTransferStall, "updates.accept-limit": logic.DefaultAcceptLimit,
		"log.level": "info", "log.format": "text",
		"bus.listen":       "127.0.0.1:4222",
		"region.heartbeat": 2 * time.Second, "region.missed": 3, "region.refresh": 5 * time.Second,
		"region.lease": 3 * time.Second, "region.second-login": "replace",
		"gateway.listen": "127.0.0.1:8085", "gateway.builds": []uint16{5875, 6005, 6141}, "gateway.kind": defaultKind, "gateway.category": 1,
		"gateway.capacity": 1000, "gateway.queue-limit": 10_000, "gateway.queue-grace": time.Minute,
		"gateway.second-login": "replace",
		"dns.listen":           "127.0.0.1:5353", "dns.ttl": dns.DefaultTTL, "dns.rate-limit": dns.DefaultRateLimit,
		"dns.service": dns.DefaultService, "dns.forget-after": dns.DefaultForgetAfter, "dns.max-answers": dns.DefaultMaxAnswers,
	}
}
