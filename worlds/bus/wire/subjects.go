package wire

import (
	"strconv"
	"strings"

	"gatepass/worlds"
)

// The subjects. A node takes two tokens in a subject: its kind and its name. The
// permissions in package credentials name exactly these subjects.
const (
	SubjectChange   = "gatepass.worlds.change"
	SubjectPulse    = "gatepass.worlds.pulse"
	SubjectSnapshot = "gatepass.worlds.snapshot"
	SubjectReset    = "gatepass.admin.reset"
	SubjectLogins   = "gatepass.admin.logins"
	SubjectOrder    = "gatepass.order.login"

	PrefixWorld    = "gatepass.world."
	PrefixLogin    = "gatepass.login."
	PrefixMove     = "gatepass.move."
	PrefixProgress = "gatepass.progress."
	PrefixAnnounce = "gatepass.directory.announce."
	PrefixLocate   = "gatepass.directory.locate."
	PrefixEndAsked = "gatepass.directory.end."
	PrefixPlace    = "gatepass.place."
	PrefixEnd      = "gatepass.end."
	PrefixInbox    = "_INBOX."

	SuffixRegister   = ".register"
	SuffixBeat       = ".beat"
	SuffixCharacters = ".characters"
)

// The two buckets of the managers. The bus server creates them, not the managers: a node
// that may create a stream may create one that subscribes to any subject, and could read
// the keys that move.
const (
	BucketWorlds = "gatepass_worlds"
	BucketLease  = "gatepass_lease"
)

// StreamOf returns the name of the JetStream stream behind a bucket.
func StreamOf(bucket string) string { return "KV_" + bucket }

// WorldSubject returns gatepass.world.ID followed by suffix.
func WorldSubject(id uint8, suffix string) string {
	return PrefixWorld + strconv.Itoa(int(id)) + suffix
}

// LoginBeatSubject returns the subject of a login server's heartbeats.
func LoginBeatSubject(login worlds.Node) string { return PrefixLogin + login.Name() + SuffixBeat }

// MoveSubject returns the subject of moves between two nodes.
func MoveSubject(to, from worlds.Node) string {
	return PrefixMove + string(to) + "." + string(from)
}

// ProgressSubject returns the subject on which a world tells a login server about queues.
func ProgressSubject(to, from worlds.Node) string {
	return PrefixProgress + string(to) + "." + string(from)
}

// SenderOf returns the node that the last two tokens of a subject name. The permissions
// let only that node publish there, so the sender is never read from a payload.
func SenderOf(subject string) (worlds.Node, bool) {
	name := strings.LastIndexByte(subject, '.')
	if name < 0 {
		return "", false
	}
	kind := strings.LastIndexByte(subject[:name], '.')
	n := worlds.Node(subject[kind+1:])
	return n, n.Validate() == nil
}

// WorldOf returns the id in gatepass.world.ID.suffix.
func WorldOf(subject, suffix string) (uint8, bool) {
	name, ok := middle(subject, PrefixWorld, suffix)
	n := worlds.Node(worlds.KindWorld + "." + name)
	if !ok || n.Validate() != nil {
		return 0, false
	}
	id, err := strconv.ParseUint(name, 10, 8)
	return uint8(id), err == nil
}

// LoginOf returns the login server in gatepass.login.NAME.beat.
func LoginOf(subject string) (worlds.Node, bool) {
	name, ok := middle(subject, PrefixLogin, SuffixBeat)
	n := worlds.LoginNode(name)
	return n, ok && n.Validate() == nil
}

// SenderFor returns the sender of a message to the manager. A subject that several nodes
// may publish to counts as one sender.
func SenderFor(subject string) (worlds.Node, bool) {
	switch {
	case subject == SubjectSnapshot || subject == SubjectReset || subject == SubjectLogins:
		return worlds.Node(subject), true
	case strings.HasPrefix(subject, PrefixLogin):
		return LoginOf(subject)
	case strings.HasPrefix(subject, PrefixWorld):
		name, _, _ := strings.Cut(subject[len(PrefixWorld):], ".")
		n := worlds.Node(worlds.KindWorld + "." + name)
		return n, n.Validate() == nil
	}
	return SenderOf(subject)
}

// middle returns the part of s between prefix and suffix.
func middle(s, prefix, suffix string) (string, bool) {
	rest, hasPrefix := strings.CutPrefix(s, prefix)
	name, hasSuffix := strings.CutSuffix(rest, suffix)
	return name, hasPrefix && hasSuffix
}
