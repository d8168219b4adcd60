package wire

import "gatepass/worlds"

// moveWire is a Move as it is decoded. AppendMove encodes by hand.
type moveWire struct {
	Kind     string     `json:"kind"`
	Pass     string     `json:"pass"`
	Account  account    `json:"account"`
	Stamp    Hex64      `json:"stamp"`
	Hop      uint32     `json:"hop"`
	Key      []byte     `json:"key"`
	Proof    *proofWire `json:"proof"`
	Validity uint32     `json:"validity"`
	Ticket   Hex64      `json:"ticket"`
	Reason   string     `json:"reason"`
	Voucher  string     `json:"voucher"`
}

type proofWire struct {
	World      bool   `json:"world"`
	ClientSeed string `json:"client_seed"`
	ServerSeed string `json:"server_seed"`
	Client     string `json:"client"`
	Challenge  string `json:"challenge"`
	Digest     string `json:"digest"`
}

// AppendMove encodes m. It fails for a move that DecodeMove would refuse.
func AppendMove(b []byte, m *worlds.Move) ([]byte, error) {
	if !moveFits(m) {
		return b, errPayload
	}
	b = append(b, `{"kind":"`...)
	b = append(b, m.Kind.String()...)
	b = append(b, `","pass":`...)
	b = appendBytesHex(b, m.Pass[:])
	b = append(b, `,"account":`...)
	b = appendName(b, &m.Account)
	b = append(b, `,"stamp":`...)
	b = appendHexString(b, uint64(m.Stamp))
	b = append(b, `,"hop":`...)
	b = appendUint(b, m.Hop)
	if !m.Key.Empty() {
		b = appendBytesBase64(appendField(b, "key"), m.Key.Bytes())
	}
	if m.Proof != nil {
		b = appendProof(appendField(b, "proof"), m.Proof)
	}
	if m.Validity > 0 {
		b = appendUint(appendField(b, "validity"), m.Validity)
	}
	if m.Ticket > 0 {
		b = appendHexString(appendField(b, "ticket"), m.Ticket)
	}
	if m.Reason != worlds.ReasonNone {
		b = append(appendField(b, "reason"), '"')
		b = append(append(b, m.Reason.String()...), '"')
	}
	if m.Voucher != (worlds.Voucher{}) {
		b = appendBytesHex(appendField(b, "voucher"), m.Voucher[:])
	}
	return append(b, '}'), nil
}

func appendProof(b []byte, p *worlds.Proof) []byte {
	b = append(b, '{')
	if p.World {
		b = append(appendField(b, "world"), "true"...)
		b = appendBytesHex(appendField(b, "client_seed"), p.ClientSeed[:])
		b = appendBytesHex(appendField(b, "server_seed"), p.ServerSeed[:])
	} else {
		b = append(appendField(b, "world"), "false"...)
		b = appendBytesHex(appendField(b, "client"), p.Client[:])
		b = appendBytesHex(appendField(b, "challenge"), p.Challenge[:])
	}
	b = appendBytesHex(appendField(b, "digest"), p.Digest[:])
	return append(b, '}')
}

// moveFits reports whether m has exactly the fields of its kind: only an offer has a key,
// only a claim a proof, only a refusal a reason, and only a commit or an offer a voucher.
func moveFits(m *worlds.Move) bool {
	return m.Kind > 0 && m.Kind < worlds.MoveKindCount && nameFits(&m.Account) &&
		m.Key.Empty() != (m.Kind == worlds.MoveOffer) &&
		(m.Proof != nil) == (m.Kind == worlds.MoveClaim) &&
		(m.Reason != worlds.ReasonNone) == (m.Kind == worlds.MoveRefuse) && m.Reason < worlds.ReasonCount &&
		(m.Validity == 0 || m.Kind == worlds.MoveOffer) &&
		(m.Voucher == worlds.Voucher{} || m.Kind == worlds.MoveCommit || m.Kind == worlds.MoveOffer)
}

// DecodeMove reads a move. The caller wipes its key.
func DecodeMove(b []byte) (*worlds.Move, error) {
	var w moveWire
	err := DecodeJSON(b, maxMove, &w)
	defer clear(w.Key)
	if err != nil {
		return nil, err
	}
	m := &worlds.Move{
		Account: [16]byte(w.Account), Stamp: worlds.Stamp(w.Stamp), Hop: w.Hop,
		Validity: w.Validity, Ticket: uint64(w.Ticket),
	}
	var ok bool
	if m.Kind, ok = moveKindOf(w.Kind); !ok || !unhex(m.Pass[:], w.Pass) || len(w.Key) > worlds.SecretMax {
		return nil, errPayload
	}
	m.Key = worlds.NewSecret(w.Key)
	if m.Reason, ok = reasonOf(w.Reason); !ok {
		return nil, errPayload
	}
	if w.Voucher != "" && !unhex(m.Voucher[:], w.Voucher) {
		return nil, errPayload
	}
	if w.Proof != nil {
		if m.Proof, ok = w.Proof.value(); !ok {
			return nil, errPayload
		}
	}
	if !moveFits(m) {
		m.Key.Wipe()
		return nil, errPayload
	}
	return m, nil
}

// value reports false unless w has exactly the fields of its kind of proof.
func (w *proofWire) value() (*worlds.Proof, bool) {
	p := &worlds.Proof{World: w.World}
	ok := unhex(p.Digest[:], w.Digest)
	if w.World {
		ok = ok && unhex(p.ClientSeed[:], w.ClientSeed) && unhex(p.ServerSeed[:], w.ServerSeed) && w.Client == "" && w.Challenge == ""
	} else {
		ok = ok && unhex(p.Client[:], w.Client) && unhex(p.Challenge[:], w.Challenge) && w.ClientSeed == "" && w.ServerSeed == ""
	}
	return p, ok
}

func moveKindOf(text string) (worlds.MoveKind, bool) {
	for k := worlds.MoveKind(1); k < worlds.MoveKindCount; k++ {
		if k.String() == text {
			return k, true
		}
	}
	return 0, false
}

// reasonOf returns ReasonNone for an empty text.
func reasonOf(text string) (worlds.Reason, bool) {
	if text == "" {
		return worlds.ReasonNone, true
	}
	for r := worlds.ReasonNone + 1; r < worlds.ReasonCount; r++ {
		if r.String() == text {
			return r, true
		}
	}
	return 0, false
}
