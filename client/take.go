package client

import (
	"fmt"
	"slices"
	"time"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// take processes one message of the server. An error ends the connection.
func (s *Session) take(f *pb.ServerFrame) error {
	switch m := f.GetBody().(type) {
	case *pb.ServerFrame_WorldSnapshot, *pb.ServerFrame_WorldDelta, *pb.ServerFrame_Characters:
		return s.takeList(f)
	case *pb.ServerFrame_PassIssued:
		return s.takePass(m.PassIssued)
	case *pb.ServerFrame_SelectRefused:
		return s.takeNo(m.SelectRefused)
	case *pb.ServerFrame_WorldReleased:
		s.pick.released(s)
	case *pb.ServerFrame_QueuePosition:
		s.takePosition(m.QueuePosition.GetPosition())
	case *pb.ServerFrame_Entered:
		s.takeEntered(m.Entered.GetWorld())
	case *pb.ServerFrame_Remembered:
		return s.takeToken(m.Remembered)
	case *pb.ServerFrame_Notice:
		s.events.push(Notice{cut(m.Notice.GetText(), maxNotice)})
	case *pb.ServerFrame_GoingAway:
		after := min(milliseconds(m.GoingAway.GetReconnectAfterMs()), maxWait)
		s.backAt = time.Now().Add(after)
		s.events.push(GoingAway{after})
	case *pb.ServerFrame_Kicked:
		return s.sentAway(kicked(m.Kicked))
	case *pb.ServerFrame_Refused:
		return s.sentAway(refused(m.Refused, true))
	case *pb.ServerFrame_Pong: // its arrival extends the read limit
	default:
		return fmt.Errorf("%w: a message that does not come here", ErrProtocol)
	}
	return nil
}

// sentAway reports a final refusal as an event.
func (s *Session) sentAway(r *RefusedError) error {
	if final(r) {
		s.events.push(Kicked{r})
	}
	return r
}

// The protocol's limits of texts, in bytes. Frames could hold longer ones.
const (
	maxWorldName = 64
	maxAddress   = 128
	maxNotice    = 512
)

// board is the list of worlds with the server's version. Owned by run.
type board struct {
	known   bool
	version uint64
	stale   bool
	// held says that the server's list was empty and stale, and that no current one has
	// arrived since. The session keeps its old list meanwhile.
	held   bool
	list   []World // by rising id
	counts [256]int
}

func (s *Session) takeList(f *pb.ServerFrame) (err error) {
	switch {
	case f.GetWorldSnapshot() != nil:
		s.board.snapshot(f.GetWorldSnapshot())
	case f.GetWorldDelta() != nil:
		err = s.board.delta(f.GetWorldDelta())
	default:
		s.board.characters(f.GetCharacters())
	}
	if err != nil || !s.board.known {
		return err
	}
	if s.board.held = s.board.isHeld(); s.board.held && s.worlds.Version() > 0 {
		s.worlds.setStale()
	} else {
		s.worlds.set(s.board.shown(), s.board.stale)
	}
	if !s.isListed() {
		close(s.listed)
	}
	return nil
}

func (b *board) isHeld() bool { return b.stale && (b.held || len(b.list) == 0) }

func (b *board) snapshot(m *pb.WorldSnapshot) {
	b.list = b.list[:0:0]
	b.known, b.version, b.stale = true, m.GetVersion(), m.GetStale()
	b.change(m.GetWorlds())
}

// delta applies a change, if it belongs to the current version.
func (b *board) delta(m *pb.WorldDelta) error {
	if !b.known || m.GetFrom() != b.version {
		return errSkipped
	}
	b.version, b.stale = m.GetTo(), m.GetStale()
	for _, id := range m.GetRemoved() {
		b.list = slices.DeleteFunc(b.list, func(w World) bool { return uint32(w.ID) == id })
	}
	b.change(m.GetChanged())
	return nil
}

// change adds or replaces worlds. Worlds with an invalid id are ignored.
func (b *board) change(worlds []*pb.World) {
	for _, m := range worlds {
		if m.GetId() == 0 || m.GetId() > 255 {
			continue
		}
		w := worldOf(m)
		i, found := slices.BinarySearchFunc(b.list, w.ID, byID)
		if !found {
			b.list = slices.Insert(b.list, i, World{})
		}
		b.list[i] = w
	}
}

func (b *board) characters(m *pb.Characters) {
	b.counts = [256]int{}
	for _, c := range m.GetCounts() {
		if c.GetWorld() <= 255 {
			b.counts[c.GetWorld()] = int(c.GetCount())
		}
	}
}

// shown returns a copy of the list with the numbers of characters.
func (b *board) shown() []World {
	list := slices.Clone(b.list)
	for i := range list {
		list[i].Characters = b.counts[list[i].ID]
	}
	return list
}

func byID(w World, id uint8) int { return int(w.ID) - int(id) }

func worldOf(m *pb.World) World {
	return World{
		ID: uint8(m.GetId()), Name: cut(m.GetName(), maxWorldName), Address: addressOf(m.GetAddress()),
		Kind: Kind(octet(m.GetKind())), Category: int(m.GetCategory()), Status: Status(octet(m.GetStatus())),
		Locked: m.GetLocked(), Full: m.GetFull(),
		Population: int(m.GetPopulationPercent()), Queue: int(m.GetQueue()),
	}
}

// addressOf returns an address; empty if it is too long, because a cut address would be
// another one.
func addressOf(address string) string {
	if len(address) > maxAddress {
		return ""
	}
	return address
}

// octet converts a number of the protocol. Numbers that were added later stay unknown ones.
func octet[T ~int32](n T) uint8 { return uint8(min(max(n, 0), 255)) }

// takePass makes the pass that the server has issued.
func (s *Session) takePass(m *pb.PassIssued) error {
	if m.GetWorld() == 0 || m.GetWorld() > 255 || len(m.GetPass()) != 16 || addressOf(m.GetAddress()) == "" {
		return fmt.Errorf("%w: a pass", ErrProtocol)
	}
	p := &Pass{
		World: uint8(m.GetWorld()), Address: m.GetAddress(), id: [16]byte(m.GetPass()),
		Expires: time.Now().Add(milliseconds(m.GetValidityMs())), ping: s.login.ping,
	}
	p.key = keyschedule.PassKey(&s.login.session, p.World, &p.id)
	s.pick.issued(p)
	return nil
}

// takeNo processes a refused selection, or the end of the current pass.
func (s *Session) takeNo(m *pb.SelectRefused) error {
	if m.GetWorld() == 0 || m.GetWorld() > 255 {
		return fmt.Errorf("%w: world %d", ErrProtocol, m.GetWorld())
	}
	no := &SelectError{World: uint8(m.GetWorld()), Reason: codec.SelectReason(octet(m.GetReason()))}
	for _, id := range m.GetAlternatives() {
		if id > 0 && id < 256 {
			no.Alternatives = append(no.Alternatives, uint8(id))
		}
	}
	if s.pick.refused(no) {
		s.events.push(PassExpired{no.World})
	}
	return nil
}

// takePosition reports a queue position from the login server. It is for games that enter
// by another process; while this process is connected to a gate, the gate reports it.
func (s *Session) takePosition(position uint32) {
	if held, _ := s.gate.held(); !held {
		s.events.push(QueuePosition{World: s.pick.holds, Position: int(position)})
	}
}

func (s *Session) takeEntered(world uint32) {
	if held, _ := s.gate.held(); !held && world < 256 {
		s.events.push(Entered{uint8(world)})
	}
}
