package gate

import (
	"fmt"
	"log/slog"

	"gatepass/codec"
	"gatepass/codec/native"
	"gatepass/codec/world"
)

// Handler is the game behind the gate. The gate calls its methods on the logic
// goroutine, one at a time. They must not block, because the whole gate would wait. A
// game with its own goroutines passes on what it receives; a Player may be used from
// any of them. A panic ends only the player's session and is counted.
type Handler interface {
	// Entered reports that a player was admitted. The client already knows it.
	Entered(p Player)
	// Packet passes a packet of a player's client: the opcode and the bytes after the
	// header. The handler may keep body.
	Packet(p Player, opcode uint32, body []byte)
	// Left reports that a player who had entered is gone. No call for this Player
	// follows, and packets sent to it are dropped.
	Left(p Player, why LeftReason)
}

// LeftReason is why a player is gone.
type LeftReason uint8

const (
	// LeftDisconnected: the client closed the connection, or the network failed.
	LeftDisconnected LeftReason = iota
	// LeftReplaced: another connection of the same account has replaced this one.
	LeftReplaced
	// LeftWentBack: a login server has claimed the player's key back.
	LeftWentBack
	// LeftEnded: the directory has ended the key after a newer login, a ban or a
	// command.
	LeftEnded
	// LeftKicked: the game called Kick.
	LeftKicked
	// LeftIdle: the client sent nothing for too long.
	LeftIdle
	// LeftClosing: the gate closes.
	LeftClosing
	// LeftOverload: there was no room for data for the player.
	LeftOverload
	// LeftFault: a bug in this program or in the handler.
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

// leftResults are the results for native players who are disconnected. ResultOK sends
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

// Player is one stay of an account in the world, from Entered to Left. It is small and
// comparable, so it can be a map key. Its methods may be called from any goroutine.
type Player struct {
	conn    codec.Conn
	account codec.Name
	build   uint16
	native  bool
	door    *door
}

// door carries a player's requests to the logic goroutine.
type door struct {
	push func(p *post) bool
}

// post is a request of the game for a player. The post owns its body.
type post struct {
	conn   codec.Conn
	opcode uint16
	body   []byte
	kick   bool
}

// Account returns the name of the player's account.
func (p Player) Account() string { return p.account.String() }

// Build returns the build of the player's client.
func (p Player) Build() uint16 { return p.build }

// Native reports whether the player's client uses the native protocol. The game defines
// the builds and opcodes of that protocol; they are unrelated to those of other
// clients.
func (p Player) Native() bool { return p.native }

// LogValue returns the account's name.
func (p Player) LogValue() slog.Value { return slog.StringValue(p.account.String()) }

// Send sends a copy of a packet. Packets from one goroutine arrive in order. After the
// player has left they are dropped. It returns false if there is no room now, or if
// body is longer than world.MaxReplyBody, or native.MaxReplyPacket for a native client.
func (p Player) Send(opcode uint16, body []byte) bool {
	most := world.MaxReplyBody
	if p.native {
		most = native.MaxReplyPacket
	}
	return len(body) <= most && p.door.push(&post{conn: p.conn, opcode: opcode, body: append([]byte(nil), body...)})
}

// Kick closes the player's connection after the packets sent before. The key stays for
// the reconnect grace; to keep a player out, end the account at the directory. Kick
// returns false if there is no room now.
func (p Player) Kick() bool { return p.door.push(&post{conn: p.conn, kick: true}) }

// CharacterScreen is the Handler of a world without a game. It shows an empty list of
// characters and answers pings. It sends nothing to a native client, because the gate
// answers that client's pings.
type CharacterScreen struct{}

// Entered implements Handler.
func (CharacterScreen) Entered(Player) {}

// Left implements Handler.
func (CharacterScreen) Left(Player, LeftReason) {}

// Packet answers pings and the request for the characters. It ignores other packets.
func (CharacterScreen) Packet(p Player, opcode uint32, body []byte) {
	switch {
	case p.native: // native opcodes are different
	case opcode == world.CMSGPing:
		if pong, ok := pongOf(body); ok {
			p.Send(world.SMSGPong, pong)
		}
	case opcode == world.CMSGCharEnum:
		p.Send(world.SMSGCharEnum, world.AppendEmptyCharEnum(nil))
	}
}

// pongOf returns the answer to a ping. ok is false if ping is malformed.
func pongOf(ping []byte) (pong []byte, ok bool) {
	p, err := world.ParsePing(ping)
	if err != nil {
		return nil, false
	}
	return world.AppendPong(nil, p.Sequence), true
}
