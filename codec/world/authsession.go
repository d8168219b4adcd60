package world

import (
	"bytes"
	"encoding/binary"
	"math"

	"gatepass/codec"
)

// AuthSession is CMSG_AUTH_SESSION, the client's first packet, in the clear.
type AuthSession struct {
	codec.WorldAuth
	// LoginServer is the id of the login server. Most clients send 0.
	LoginServer uint32
	// LoginServerType, Region, Battlegroup and DOSResponse are in 3.3.5 only and are not used.
	LoginServerType, Region, Battlegroup uint32
	DOSResponse                          uint64
	// AddonSize is the announced length of the list of add-ons, at most MaxAddonSize. Addons
	// is the list, compressed by zlib. This package does not read it.
	AddonSize uint32
	Addons    []byte
}

// Sign sets Digest, computed from the server's seed and the session key. It uses the account's
// name as it is; the name must be in capitals.
func (a *AuthSession) Sign(server [4]byte, key *[40]byte) {
	a.Digest = Digest(a.Name.Bytes(), a.ClientSeed, server, key)
}

// AppendAuthSession writes the body. It returns ErrName if there is no name, and ErrAddonSize
// if AddonSize is above MaxAddonSize.
func AppendAuthSession(dst []byte, e Era, a *AuthSession) ([]byte, error) {
	if a.Name.Len() == 0 {
		return dst, ErrName
	}
	if a.AddonSize > MaxAddonSize {
		return dst, ErrAddonSize
	}
	u32 := binary.LittleEndian.AppendUint32
	dst = u32(dst, uint32(a.Build))
	dst = u32(dst, a.LoginServer)
	dst = append(dst, a.Name.Bytes()...)
	dst = append(dst, 0)
	if e == Era335 {
		dst = u32(dst, a.LoginServerType)
	}
	dst = append(dst, a.ClientSeed[:]...)
	if e == Era335 {
		dst = u32(dst, a.Region)
		dst = u32(dst, a.Battlegroup)
		dst = u32(dst, a.Realm)
		dst = binary.LittleEndian.AppendUint64(dst, a.DOSResponse)
	}
	dst = append(dst, a.Digest[:]...)
	dst = u32(dst, a.AddonSize)
	return append(dst, a.Addons...), nil
}

// ParseAuthSession reads a whole body of a client of that era. Addons aliases body. It accepts
// a client without a list of add-ons, though no real client is known to omit it.
func ParseAuthSession(body []byte, e Era) (AuthSession, error) {
	var a AuthSession
	build, err := a.parseHead(body)
	if err != nil {
		return AuthSession{}, err
	}
	if build > math.MaxUint16 {
		return AuthSession{}, badForeignBuild
	}
	c := codec.NewCursor(body[authHead+a.Name.Len()+1:])
	if e == Era335 {
		a.LoginServerType = c.U32()
	}
	c.Copy(a.ClientSeed[:])
	if e == Era335 {
		a.Region, a.Battlegroup, a.Realm, a.DOSResponse = c.U32(), c.U32(), c.U32(), c.U64()
	}
	c.Copy(a.Digest[:])
	if c.Short() {
		return AuthSession{}, badAuthSession
	}
	if err := a.parseAddons(body[authHead+a.Name.Len()+1+c.Offset():]); err != nil {
		return AuthSession{}, err
	}
	return a, nil
}

// authHead is the length of the fields before the name.
const authHead = 8

// parseHead reads the first fields, which are the same in every era: build, login server,
// name.
func (a *AuthSession) parseHead(body []byte) (build uint32, err error) {
	if len(body) < authHead {
		return 0, badAuthSession
	}
	build = binary.LittleEndian.Uint32(body)
	a.Build, a.LoginServer = uint16(build), binary.LittleEndian.Uint32(body[4:])
	name := body[authHead:]
	name = name[:min(len(name), codec.MaxName+1)]
	end := bytes.IndexByte(name, 0)
	if end < 0 {
		return build, badName
	}
	var ok bool
	if a.Name, ok = codec.NameOf(name[:end]); !ok {
		return build, badName
	}
	return build, nil
}

func (a *AuthSession) parseAddons(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if len(b) < 4 {
		return badAuthSession
	}
	a.AddonSize, a.Addons = binary.LittleEndian.Uint32(b), b[4:len(b):len(b)]
	if a.AddonSize > MaxAddonSize {
		return badAddons
	}
	return nil
}
