package bus

import (
	"strconv"
	"strings"

	"gatepass/worlds"
)

// The subjects. N is a world's id, L a login server's name, and a node is two
// tokens, its kind and its name. Permissions are made for exactly these.
const (
	subjectChange   = "gatepass.worlds.change"
	subjectPulse    = "gatepass.worlds.pulse"
	subjectSnapshot = "gatepass.worlds.snapshot"
	subjectReset    = "gatepass.admin.reset"
	subjectLogins   = "gatepass.admin.logins"
	subjectOrder    = "gatepass.order.login"

	prefixWorld    = "gatepass.world."
	prefixLogin    = "gatepass.login."
	prefixMove     = "gatepass.move."
	prefixProgress = "gatepass.progress."
	prefixAnnounce = "gatepass.directory.announce."
	prefixLocate   = "gatepass.directory.locate."
	prefixEndAsked = "gatepass.directory.end."
	prefixPlace    = "gatepass.place."
	prefixEnd      = "gatepass.end."
	prefixInbox    = "_INBOX."

	suffixRegister   = ".register"
	suffixBeat       = ".beat"
	suffixCharacters = ".characters"
)

func worldSubject(id uint8, suffix string) string {
	return prefixWorld + strconv.Itoa(int(id)) + suffix
}

func loginBeatSubject(login worlds.Node) string { return prefixLogin + login.Name() + suffixBeat }

func moveSubject(to, from worlds.Node) string {
	return prefixMove + string(to) + "." + string(from)
}

func progressSubject(to, from worlds.Node) string {
	return prefixProgress + string(to) + "." + string(from)
}

// senderOf is the node that the last two tokens of a subject name: permissions
// let nobody publish there but that node, so it is never read from a payload.
func senderOf(subject string) (worlds.Node, bool) {
	name := strings.LastIndexByte(subject, '.')
	if name < 0 {
		return "", false
	}
	kind := strings.LastIndexByte(subject[:name], '.')
	n := worlds.Node(subject[kind+1:])
	return n, n.Validate() == nil
}

// worldOf is the id in gatepass.world.N.suffix.
func worldOf(subject, suffix string) (uint8, bool) {
	name, ok := middle(subject, prefixWorld, suffix)
	n := worlds.Node(worlds.KindWorld + "." + name)
	if !ok || n.Validate() != nil {
		return 0, false
	}
	id, err := strconv.ParseUint(name, 10, 8)
	return uint8(id), err == nil
}

// loginOf is the login server in gatepass.login.L.beat.
func loginOf(subject string) (worlds.Node, bool) {
	name, ok := middle(subject, prefixLogin, suffixBeat)
	n := worlds.LoginNode(name)
	return n, ok && n.Validate() == nil
}

// senderFor is the node that a message to the manager is of. The subjects that
// many may publish to count as one sender each.
func senderFor(subject string) (worlds.Node, bool) {
	switch {
	case subject == subjectSnapshot || subject == subjectReset || subject == subjectLogins:
		return worlds.Node(subject), true
	case strings.HasPrefix(subject, prefixLogin):
		return loginOf(subject)
	case strings.HasPrefix(subject, prefixWorld):
		name, _, _ := strings.Cut(subject[len(prefixWorld):], ".")
		n := worlds.Node(worlds.KindWorld + "." + name)
		return n, n.Validate() == nil
	}
	return senderOf(subject)
}

func middle(s, prefix, suffix string) (string, bool) {
	rest, hasPrefix := strings.CutPrefix(s, prefix)
	name, hasSuffix := strings.CutSuffix(rest, suffix)
	return name, hasPrefix && hasSuffix
}
