package load

import (
	"gatepass/codec"
	"gatepass/codec/grunt"
)

// The opcodes and sizes of the grunt protocol that the hot paths look at
// themselves; all else is codec/grunt's.
const (
	opChallenge = 0x00
	opProof     = 0x01
	opRealmList = 0x10

	// challengeMin is the length of a challenge with a name of one byte.
	challengeMin = 35
	// lastVanillaBuild is the last build with the 1.x layouts.
	lastVanillaBuild = 6298
)

// canned holds the floor's answers, of the lengths that gatepass's own have.
type canned struct {
	challenge       []byte
	vanilla, modern cannedLayout
}

// cannedLayout is what differs between the 1.x layouts and the later ones.
type cannedLayout struct{ proof, list []byte }

// of picks the layout.
func (c *canned) of(modern bool) *cannedLayout {
	if modern {
		return &c.modern
	}
	return &c.vanilla
}

func newCanned() canned {
	reply := codec.Reply{Kind: codec.ReplyLogonChallenge}
	for i := range reply.Challenge.B {
		reply.Challenge.B[i] = byte(i + 1) // a number like any other
		reply.Challenge.Salt[i] = byte(2*i + 1)
	}
	challenge, err := grunt.AppendChallengeReply(nil, grunt.Layout8, &reply)
	if err != nil {
		panic(err)
	}
	return canned{challenge: challenge, vanilla: newCannedLayout(grunt.Build1121), modern: newCannedLayout(grunt.Build335)}
}

func newCannedLayout(build grunt.Build) cannedLayout {
	realms := []grunt.Realm{
		{Type: 1, Name: "Demo One", Address: "127.0.0.1:8085", Population: 0.5, Category: 1, ID: 1},
		{Type: 4, Name: "Demo Two", Address: "127.0.0.1:8086", Population: 1.5, Category: 1, ID: 2},
	}
	list, err := grunt.AppendRealmList(nil, build, realms)
	if err != nil {
		panic(err)
	}
	accepted := codec.Reply{Kind: codec.ReplyLogonProof}
	return cannedLayout{proof: grunt.AppendProofReply(nil, grunt.LayoutOf(build), &accepted), list: list}
}
