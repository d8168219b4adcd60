package world

import (
	"encoding/binary"

	"gatepass/codec"
)

// AuthResponse is SMSG_AUTH_RESPONSE: the client is accepted, queued or refused.
type AuthResponse struct {
	Code uint8
	// Billing says that the billing fields are there. Only CodeOK and CodeWaitQueue may have
	// them. Clients only display them.
	Billing       bool
	BillingTime   uint32
	BillingFlags  uint8
	BillingRested uint32
	// Expansion is sent with the billing fields from 2.x on: the newest expansion that the
	// account may use, 0 for none.
	Expansion uint8
	// Position is the position in the queue, for CodeWaitQueue.
	Position uint32
	// FreeMigration offers a move to another realm, for CodeWaitQueue in 3.3.5 (quirk 68).
	FreeMigration uint8
}

// AppendAuthResponse writes the body. It omits fields of other codes or eras.
func AppendAuthResponse(dst []byte, e Era, a *AuthResponse) []byte {
	dst = append(dst, a.Code)
	if a.Billing && (a.Code == CodeOK || a.Code == CodeWaitQueue) {
		dst = binary.LittleEndian.AppendUint32(dst, a.BillingTime)
		dst = append(dst, a.BillingFlags)
		dst = binary.LittleEndian.AppendUint32(dst, a.BillingRested)
		if e.hasExpansion() {
			dst = append(dst, a.Expansion)
		}
	}
	if a.Code == CodeWaitQueue {
		dst = binary.LittleEndian.AppendUint32(dst, a.Position)
		if e == Era335 {
			dst = append(dst, a.FreeMigration)
		}
	}
	return dst
}

// ParseAuthResponse reads a whole body. The length decides which form it is.
func ParseAuthResponse(body []byte, e Era) (AuthResponse, error) {
	c := codec.NewCursor(body)
	a := AuthResponse{Code: c.U8()}
	rest := len(body) - 1
	place := a.placeLen(e)
	if a.Billing = rest > place && (a.Code == CodeOK || a.Code == CodeWaitQueue); a.Billing {
		a.BillingTime, a.BillingFlags, a.BillingRested = c.U32(), c.U8(), c.U32()
		if e.hasExpansion() {
			a.Expansion = c.U8()
		}
	}
	if place > 0 {
		a.Position = c.U32()
	}
	if place > 4 {
		a.FreeMigration = c.U8()
	}
	if c.Short() || c.Offset() != len(body) {
		return AuthResponse{}, badResponse
	}
	return a, nil
}

// placeLen returns the length of the queue position.
func (a *AuthResponse) placeLen(e Era) int {
	switch {
	case a.Code != CodeWaitQueue:
		return 0
	case e == Era335:
		return 5
	}
	return 4
}
