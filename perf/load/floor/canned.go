package floor

import (
	"gatepass/codec"
	"gatepass/codec/grunt"
)

// Canned has the floor's fixed answers. They have the lengths of gatepass's own answers.
type Canned struct {
	Challenge       []byte
	Vanilla, modern cannedLayout
}

// cannedLayout has the answers that differ between the 1.x layouts and the later ones.
type cannedLayout struct{ Proof, List []byte }

// of returns the answers of a layout.
func (c *Canned) of(modern bool) *cannedLayout {
	if modern {
		return &c.modern
	}
	return &c.Vanilla
}

func NewCanned() Canned {
	reply := codec.Reply{Kind: codec.ReplyLogonChallenge}
	for i := range reply.Challenge.B {
		reply.Challenge.B[i] = byte(i + 1) // any number but zero
		reply.Challenge.Salt[i] = byte(2*i + 1)
	}
	challenge, err := grunt.AppendChallengeReply(nil, grunt.Layout8, &reply)
	if err != nil {
		panic(err)
	}
	return Canned{Challenge: challenge, Vanilla: newCannedLayout(grunt.Build1121), modern: newCannedLayout(grunt.Build335)}
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
	return cannedLayout{Proof: grunt.AppendProofReply(nil, grunt.LayoutOf(build), &accepted), List: list}
}
