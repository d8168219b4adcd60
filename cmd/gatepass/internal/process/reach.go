package process

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"gatepass/worlds"
)

// lookupLimit is how long the look-up of a world's name may take before it counts as
// failed.
const lookupLimit = 10 * time.Second

// WarnTold logs what is likely wrong with the addresses of worlds that clients are told.
// remote says that clients come from other machines.
func (p *Process) WarnTold(ws []worlds.World, remote bool) {
	for i := range ws {
		for _, doubt := range ws[i].Doubts(remote) {
			p.Log.Warn("clients may not reach a world", "world", ws[i].ID, "why", doubt)
		}
	}
	p.WarnNames(ws, remote)
}

// WarnNames logs which names of worlds do not lead clients to a world. It looks them up
// in a goroutine of its own, so that the start does not wait for a name server.
func (p *Process) WarnNames(ws []worlds.World, remote bool) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	p.Add(Part{Name: "look-ups", Close: func() error { cancel(); <-ended; return nil }})
	go func() {
		defer close(ended)
		for i := range ws {
			for _, name := range ws[i].HostNames() {
				if why := nameDoubt(ctx, name, remote); why != "" && ctx.Err() == nil {
					p.Log.Warn("clients may not reach a world", "world", ws[i].ID, "why", why)
				}
			}
		}
	}()
}

// nameDoubt returns what is wrong with a name that clients are told, as this machine
// resolves it, or "".
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

// RemoteClients reports whether clients of other machines can connect to an address on
// which this process listens.
func RemoteClients(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	ip, parse := netip.ParseAddr(host)
	return err == nil && host != "localhost" && !(parse == nil && ip.Unmap().IsLoopback())
}
