package worlds

import (
	"fmt"
	"strconv"
	"strings"
)

// Node names a process of the region that can hold keys or use the bus: "login.eu1",
// "world.7", "manager.a", "dns.a". Its two parts are two tokens of a bus subject.
type Node string

// The kinds of nodes.
const (
	KindLogin   = "login"
	KindWorld   = "world"
	KindManager = "manager"
	KindDNS     = "dns"
	KindAdmin   = "admin"
)

// maxNodeName is the longest second part, in bytes.
const maxNodeName = 32

// LoginNode returns the node of the login server with that name.
func LoginNode(name string) Node { return Node(KindLogin + "." + name) }

// WorldNode returns the node of the world with that id.
func WorldNode(id uint8) Node { return Node(KindWorld + "." + strconv.Itoa(int(id))) }

// Kind returns the part before the dot.
func (n Node) Kind() string {
	kind, _, _ := strings.Cut(string(n), ".")
	return kind
}

// Name returns the part after the dot.
func (n Node) Name() string {
	_, name, _ := strings.Cut(string(n), ".")
	return name
}

// Validate returns an error if n cannot be part of a subject.
func (n Node) Validate() error {
	name := n.Name()
	if name == "" || len(name) > maxNodeName {
		return fmt.Errorf("worlds: node %q: the name must have 1 to %d bytes", string(n), maxNodeName)
	}
	for _, c := range []byte(name) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return fmt.Errorf("worlds: node %q: the name may have a-z, 0-9, - and _ only", string(n))
		}
	}
	switch n.Kind() {
	case KindLogin, KindManager, KindDNS, KindAdmin:
		return nil
	case KindWorld:
		if id, err := strconv.ParseUint(name, 10, 8); err == nil && id > 0 && strconv.Itoa(int(id)) == name {
			return nil
		}
		return fmt.Errorf("worlds: node %q: a world's id is 1 to 255", string(n))
	}
	return fmt.Errorf("worlds: node %q: there is no such kind", string(n))
}
