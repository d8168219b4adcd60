package worlds

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// Limits of a host name by RFC 1035, in bytes.
const (
	maxHostName  = 253
	maxHostLabel = 63
)

// CheckIP returns an error if no client can connect to an address. It accepts loopback,
// because clients may run on the same machine.
func CheckIP(ip netip.Addr) error {
	plain := ip.Unmap()
	switch {
	case plain.IsUnspecified():
		return fmt.Errorf("%s stands for every address of a machine; write the one that clients reach", ip)
	case plain.Zone() != "":
		return fmt.Errorf("%s names an interface of this machine, which means nothing to clients; write an address that they reach", ip)
	case plain.IsMulticast():
		return fmt.Errorf("%s is a multicast address; write the one of a machine", ip)
	case plain.Is6() && plain.IsLinkLocalUnicast():
		return fmt.Errorf("%s is good on one link only and needs an interface; write an address that clients reach", ip)
	case plain.Is4() && (plain.As4()[0] == 0 || plain.As4()[0] >= 240):
		return fmt.Errorf("%s is a reserved address that no machine has; write one that clients reach", ip)
	}
	return nil
}

// EveryAddress reports whether a host:port means every address of the machine. Such an
// address is valid to listen on, but no client can connect to it.
func EveryAddress(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip, parse := netip.ParseAddr(host)
	return err == nil && (host == "" || parse == nil && ip.Unmap().IsUnspecified())
}

// checkAddress returns an error if no client can be sent to s.
func checkAddress(s string) error {
	if err := addressFault(s); err != nil {
		return fmt.Errorf("address: %q: %w", head(s), err)
	}
	return nil
}

func addressFault(s string) error {
	if !printable(s, 1, maxAddress) {
		return fmt.Errorf("it is not host:port of at most %d bytes", maxAddress)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		last := max(0, strings.LastIndexByte(s, ':'))
		if _, err := netip.ParseAddr(s[:last]); err == nil {
			return fmt.Errorf("an IPv6 address stands in brackets, such as [%s]%s", s[:last], s[last:])
		}
		if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
			return errors.New("there is no port, such as :8085; an IPv6 address stands in brackets before it")
		}
		return fmt.Errorf("it is not host:port of at most %d bytes", maxAddress)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return fmt.Errorf("it is not host:port with a port in 1 to 65535")
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return CheckIP(ip)
	}
	return hostNameFault(host)
}

// hostNameFault returns an error if host is not a valid host name.
func hostNameFault(host string) error {
	labels := strings.Split(strings.TrimSuffix(host, "."), ".")
	for _, label := range labels {
		if label == "" || len(label) > maxHostLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, notOfNames) {
			return errors.New("its host is neither an IP address nor a name of letters, digits and hyphens (other scripts as xn--…)")
		}
	}
	if len(host) > maxHostName {
		return fmt.Errorf("its host has more than %d bytes", maxHostName)
	}
	// Some clients parse a label that looks like a number as an address.
	last := strings.ToLower(labels[len(labels)-1])
	if _, err := strconv.ParseUint(last, 0, 64); err == nil || strings.Trim(last, "0123456789") == "" {
		return errors.New("its host is not an IPv4 address, which has four numbers in 0 to 255 without leading zeros")
	}
	return nil
}

// notOfNames reports whether host names cannot contain r. Underscores are not in the
// standard, but internal names have them.
func notOfNames(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// Doubts returns likely mistakes in the addresses that clients receive. Each text
// starts with the name of the field. The world stays in the list, because the address
// may be intended. remote means that clients connect from other machines.
func (w *World) Doubts(remote bool) (doubts []string) {
	add := func(field, address string, local bool, isGrunt bool) {
		if text := doubtOf(address, remote && !local, isGrunt); text != "" {
			doubts = append(doubts, field+": "+text)
		}
	}
	add("address", w.Address, false, true)
	add("native address", w.Native, false, false)
	for _, r := range w.Routes {
		local := r.Network.IsValid() && r.Network.Addr().IsLoopback()
		add("routes: "+r.Network.String()+": address", r.Address, local, true)
		add("routes: "+r.Network.String()+": native address", r.Native, local, false)
	}
	return doubts
}

// doubtOf returns the likely mistake in one address. The address may be empty.
func doubtOf(address string, remote, isGrunt bool) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	ip, err := netip.ParseAddr(host)
	loopback := strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") || err == nil && ip.Unmap().IsLoopback()
	switch {
	case loopback && remote:
		return address + " leads clients to their own machine; write an address of this one that they reach"
	case err == nil && ip.Is6() && isGrunt:
		return "clients of 1.12 to 3.3.5 cannot read the IPv6 address " + address + "; write an IPv4 address or a name"
	case err == nil && ip.Unmap().IsLinkLocalUnicast():
		return address + " is good on one link only; write an address that all clients reach"
	}
	return ""
}

// HostNames returns the host names (not IP addresses) that clients receive, each once.
func (w *World) HostNames() (names []string) {
	all := []string{w.Address, w.Native}
	for _, r := range w.Routes {
		all = append(all, r.Address, r.Native)
	}
	seen := make(map[string]bool)
	for _, address := range all {
		host, _, err := net.SplitHostPort(address)
		if _, notIP := netip.ParseAddr(host); err == nil && notIP != nil && !seen[host] {
			seen[host] = true
			names = append(names, host)
		}
	}
	return names
}
