package client

import (
	pb "gatepass/codec/native/gatepasspb"

	"context"
	"errors"
	"fmt"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
)

// provePassword proves the password and checks the server's proof.
func (a *attempt) provePassword(ctx context.Context, m *pb.PasswordChallenge) error {
	ch, err := a.challenge(m)
	if err != nil {
		return err
	}
	srp, answer, err := a.respond(ctx, ch)
	if err != nil {
		return err
	}
	defer srp.Wipe()
	if err := a.link.send(&pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{PasswordProof: answer}}); err != nil {
		return err
	}
	said := [32]byte(a.link.said)
	theirs, err := a.hearAccepted()
	if err != nil {
		return err
	}
	if srp.CheckServer(&theirs) != nil {
		return ErrServerProof
	}
	keys := keyschedule.Password(srp.Secret(), &a.nonces, &said)
	a.becomeAccepted(&keys)
	return nil
}

// respond computes the answer to the challenge. Unless there is an error, the caller must
// wipe the exchange.
func (a *attempt) respond(ctx context.Context, ch *srp6a.Challenge) (*srp6a.Client, *pb.PasswordProof, error) {
	var random [32]byte
	if err := a.fill(random[:]); err != nil {
		return nil, nil, err
	}
	srp := srp6a.NewClient(a.password.identity, &random)
	clear(random[:])
	var public []byte
	var proof [32]byte
	var fault error
	err := a.password.use(ctx, func() { public, proof, fault = srp.Respond(ch) })
	if err != nil { // it may still run, so its results must not be read
		a.password.behind(srp.Wipe)
		return nil, nil, err
	}
	switch {
	case errors.Is(fault, srp6a.ErrParams):
		err = fmt.Errorf("%w: %v", ErrKDF, fault)
	case fault != nil:
		err = fmt.Errorf("%w: %v", ErrProtocol, fault)
	}
	if err != nil {
		srp.Wipe()
		return nil, nil, err
	}
	return srp, &pb.PasswordProof{PublicKey: public, Proof: proof[:]}, nil
}

// challenge checks the sizes in the server's challenge, the cost of its derivation, and that
// salt and cost are those of the sign-in before.
func (a *attempt) challenge(m *pb.PasswordChallenge) (*srp6a.Challenge, error) {
	kdf := m.GetKdf()
	if len(m.GetNonce()) != 32 || len(m.GetSalt()) != 32 || m.GetGroup() > uint32(srp6a.Group4096) {
		return nil, fmt.Errorf("%w: sizes of a challenge", ErrProtocol)
	}
	if int64(kdf.GetMemoryKib())<<10 > a.o.MaxKDF {
		return nil, fmt.Errorf("%w: %d KiB", ErrKDF, kdf.GetMemoryKib())
	}
	if uint64(kdf.GetMemoryKib())*uint64(kdf.GetPasses()) > maxWork {
		return nil, fmt.Errorf("%w: %d KiB, %d times", ErrKDF, kdf.GetMemoryKib(), kdf.GetPasses())
	}
	a.nonces.Server = [32]byte(m.GetNonce())
	ch := &srp6a.Challenge{Salt: [32]byte(m.GetSalt()), B: m.GetPublicKey()}
	ch.Group = srp6a.Group(m.GetGroup())
	ch.KDF = srp6a.KDF{MemoryKiB: kdf.GetMemoryKib(), Passes: kdf.GetPasses(), Lanes: kdf.GetLanes()}
	if !a.password.meets(ch) {
		return nil, fmt.Errorf("%w: its challenge is not that of the sign-in before; or the password was changed since", ErrServerProof)
	}
	return ch, nil
}
