package gate

import (
	"fmt"
	"log/slog"

	"gatepass/codec"
	"gatepass/codec/native"
	"gatepass/codec/world"
)

// Handler is the game behind the gate. Its methods are called on the gate's logic
// goroutine, one at a time: they must not block, or the whole gate stands still.
// A game with goroutines of its own hands on what it gets; a Player may be used
// from any of them. A panic costs the player concerned and is counted.
type Handler interface {
	// Entered says that a player has been let in; the client knows.
	Entered(p Player)
	// Packet brings what a player's client sent: the opcode and what stands behind
	// the header. body is the handler's to keep.
	Packet(p Player, opcode uint32, body []byte)
	// Left says that a player who had entered is gone. Nothing of this Player
	// follows, and what is sent to it is dropped.
	Left(p Player, why LeftReason)
}

// LeftReason says why a player is gone.
type LeftReason uint8

const (
	// LeftDisconnected: the client closed the connection, or the network lost it.
	LeftDisconnected LeftReason = iota
	// LeftReplaced: the same account has come in by another connection.
	LeftReplaced
	// LeftWentBack: a login server has taken the player's key back.
	LeftWentBack
	// LeftEnded: the directory has ended the key: a newer login, a ban, a command.
	LeftEnded
	// LeftKicked: the game wanted it.
	LeftKicked
	// LeftIdle: the client has said nothing for too long.
	LeftIdle
	// LeftClosing: the gate closes.
	LeftClosing
	// LeftOverload: there was no room for what it should have been sent.
	LeftOverload
	// LeftFault: a bug of ours or of the handler's.
	LeftFault
	// LeftReasonCount is the number of reasons, for tables.
	LeftReasonCount
)

var leftNames = [LeftReasonCount]string{
	"disconnected", "replaced", "went-back", "ended", "kicked", "idle", "closing", "overload", "fault",
}

func (r LeftReason) String() string {
	if r < LeftReasonCount {
		return leftNames[r]
	}
	return fmt.Sprintf("left(%d)", uint8(r))
}

// leftResults are what native players are told who are sent away; ResultOK for
// nothing.
var leftResults = [LeftReasonCount]codec.Result{
	LeftReplaced: codec.ResultReplaced,
	LeftWentBack: codec.ResultReplaced,
	LeftEnded:    codec.ResultReplaced,
	LeftKicked:   codec.ResultKicked,
	LeftIdle:     codec.ResultIdle,
	LeftClosing:  codec.ResultGoingAway,
	LeftFault:    codec.ResultBusy,
}

// Player is one stay of an account in the world, from Entered to Left. It is a
// small value and can be the key of a map. Its methods may be called anywhere.
type Player struct {
	conn    codec.Conn
	account codec.Name
	build   uint16
	native  bool
	door    *door
}

// door is a player's way back to the logic.
type door struct {
	push func(p *post) bool
}

// post is what a game wants for a player. Its body is the post's own.
type post struct {
	conn   codec.Conn
	opcode uint16
	body   []byte
	kick   bool
}

// Account is the name of the player's account.
func (p Player) Account() string { return p.account.String() }

// Build is what the player's client runs.
func (p Player) Build() uint16 { return p.build }

// Native tells whether the player's client speaks the native protocol. The numbers
// of its builds and opcodes are then the game's own, and have nothing to do with
// those of other clients.
func (p Player) Native() bool { return p.native }

// LogValue is the account's name.
func (p Player) LogValue() slog.Value { return slog.StringValue(p.account.String()) }

// Send sends a packet: what is sent from one goroutine arrives in order, or, once
// the player is gone, not at all. body is copied. False means that there is no
// room now, or that body is longer than world.MaxReplyBody, or for a native client
// than native.MaxReplyPacket.
func (p Player) Send(opcode uint16, body []byte) bool {
	most := world.MaxReplyBody
	if p.native {
		most = native.MaxReplyPacket
	}
	return len(body) <= most && p.door.push(&post{conn: p.conn, opcode: opcode, body: append([]byte(nil), body...)})
}

// Kick closes the player's connection, behind what was sent before. The key stays
// for the reconnect grace: who is not to come back is ended at the directory.
// False means that there is no room now.
func (p Player) Kick() bool { return p.door.push(&post{conn: p.conn, kick: true}) }

// CharacterScreen is the Handler of a world without a game: the client stands at
// an empty list of characters and its pings are answered. To a native client, which
// has its pings answered by the gate, it says nothing.
type CharacterScreen struct{}

// Entered is part of Handler.
func (CharacterScreen) Entered(Player) {}

// Left is part of Handler.
func (CharacterScreen) Left(Player, LeftReason) {}

// Packet answers pings and the question for the characters, and nothing else.
func (CharacterScreen) Packet(p Player, opcode uint32, body []byte) {
	switch {
	case p.native: // its opcodes are others
	case opcode == world.CMSGPing:
		if pong, ok := pongOf(body); ok {
			p.Send(world.SMSGPong, pong)
		}
	case opcode == world.CMSGCharEnum:
		p.Send(world.SMSGCharEnum, world.AppendEmptyCharEnum(nil))
	}
}

// pongOf is the answer to a ping; ok is false for what is none.
func pongOf(ping []byte) (pong []byte, ok bool) {
	p, err := world.ParsePing(ping)
	if err != nil {
		return nil, false
	}
	return world.AppendPong(nil, p.Sequence), true
}
