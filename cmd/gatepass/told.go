package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"gatepass/worlds"
)

// reachable is the address of this machine that the clients of dev are told: what is
// advertised; where it listens; or, where that is every address, the one from which
// this machine speaks to others. Programs on this machine reach that one as well. It is
// loopback when there is no other.
func (c *config) reachable() string {
	if !worlds.EveryAddress(c.Advertise) {
		if host, _, err := net.SplitHostPort(c.Advertise); err == nil {
			return host
		}
	}
	if ip := ownAddress(); ip.IsValid() {
		return ip.String()
	}
	return "127.0.0.1"
}

// ownAddress is the IPv4 address from which this machine speaks to others, or one of an
// interface that is up; the zero Addr when there is none but loopback.
func ownAddress() netip.Addr {
	// A UDP socket that is told its peer sends nothing; the kernel looks the way up.
	if conn, err := net.Dial("udp4", "192.0.2.1:9"); err == nil {
		defer conn.Close()
		if at, ok := conn.LocalAddr().(*net.UDPAddr); ok && tellable(at.AddrPort().Addr()) {
			return at.AddrPort().Addr().Unmap()
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Addr{}
	}
	for _, each := range all {
		if prefix, err := netip.ParsePrefix(each.String()); err == nil && tellable(prefix.Addr()) {
			return prefix.Addr()
		}
	}
	return netip.Addr{}
}

// tellable tells whether clients of every era can be told that address.
func tellable(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.Is4() && ip.IsGlobalUnicast() && worlds.CheckIP(ip) == nil
}

// lookupLimit is how long a look-up of a world's name may take before it counts as
// failed.
const lookupLimit = 10 * time.Second

// warnTold logs what is likely wrong with where clients are sent. remote says that they
// come from other machines.
func warnTold(p *process, ws []worlds.World, remote bool) {
	for i := range ws {
		for _, doubt := range ws[i].Doubts(remote) {
			p.log.Warn("clients may not reach a world", "world", ws[i].ID, "why", doubt)
		}
	}
	warnNames(p, ws, remote)
}

// warnNames logs which names of worlds lead clients nowhere. It looks them up beside
// the start, for which a name server that does not answer is no reason to wait.
func warnNames(p *process, ws []worlds.World, remote bool) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	p.add(part{name: "look-ups", close: func() error { cancel(); <-ended; return nil }})
	go func() {
		defer close(ended)
		for i := range ws {
			for _, name := range ws[i].HostNames() {
				if why := nameDoubt(ctx, name, remote); why != "" && ctx.Err() == nil {
					p.log.Warn("clients may not reach a world", "world", ws[i].ID, "why", why)
				}
			}
		}
	}()
}

// nameDoubt tells what is wrong with a name that clients are told, as this machine
// resolves it; empty for nothing.
func nameDoubt(ctx context.Context, name string, remote bool) string {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return fmt.Sprintf("the name %s cannot be resolved here (%v); write one that clients can resolve, or an IP address", name, err)
	}
	for _, ip := range found {
		if err := worlds.CheckIP(ip); err != nil {
			return fmt.Sprintf("the name %s resolves to %v", name, err)
		}
		if remote && ip.Unmap().IsLoopback() {
			return fmt.Sprintf("the name %s resolves to %s here, which leads clients to their own machine", name, ip)
		}
	}
	return ""
}

// remoteClients tells whether clients of other machines can come to where is listened.
func remoteClients(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	ip, parse := netip.ParseAddr(host)
	return err == nil && host != "localhost" && !(parse == nil && ip.Unmap().IsLoopback())
}
