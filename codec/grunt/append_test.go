package grunt

import (
	"bytes"
	"math"
	"testing"

	"gatepass/codec"
)

// A value that cannot be encoded returns an error and dst unchanged.
func TestAppend_WhatTheWireCannotSay(t *testing.T) {
	dst := []byte("before")
	tooMuch := make([]byte, math.MaxUint16+1)
	cases := []struct {
		what string
		run  func() ([]byte, error)
		want error
	}{
		{"no name", func() ([]byte, error) {
			return AppendChallenge(dst, codec.KindLogonChallenge, &codec.Hello{})
		}, ErrName},
		{"PIN for a client without pad", func() ([]byte, error) {
			return AppendChallengeReply(dst, Layout2, &codec.Reply{Challenge: codec.Challenge{Factors: codec.FactorPIN}})
		}, ErrFactor},
		{"token in 1.x", func() ([]byte, error) {
			return AppendProof(dst, Layout3, &Proof{Proof: codec.Proof{Factors: codec.FactorToken}})
		}, ErrFactor},
		{"long token", func() ([]byte, error) {
			return AppendProof(dst, Layout8, &Proof{Proof: codec.Proof{TokenLen: codec.MaxToken + 1}})
		}, ErrToken},
		{"256 records", func() ([]byte, error) {
			return AppendProof(dst, Layout8, &Proof{Telemetry: make([]Telemetry, 256)})
		}, ErrTelemetry},
		{"chunk", func() ([]byte, error) { return AppendTransferData(dst, tooMuch) }, ErrChunk},
		{"survey", func() ([]byte, error) { return AppendSurveyResult(dst, &SurveyResult{Data: tooMuch}) }, ErrChunk},
		{"session, PIN for 1.1", func() ([]byte, error) {
			r := codec.Reply{Kind: codec.ReplyLogonChallenge, Challenge: codec.Challenge{Factors: codec.FactorPIN}}
			return mustOpen(t, 4125, false).Append(dst, &r)
		}, ErrFactor},
	}
	for _, c := range cases {
		if out, err := c.run(); err != c.want || !bytes.Equal(out, dst) {
			t.Errorf("%s: %q, %v, want %v", c.what, out, err, c.want)
		}
	}
}

func TestAppendChallenge_PanicsOnAnotherKind(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a proof was written as a challenge")
		}
	}()
	_, _ = AppendChallenge(nil, codec.KindLogonProof, &codec.Hello{Name: codec.Name{'A'}})
}

func TestProof_AllTelemetryThatCanBeCounted(t *testing.T) {
	p := Proof{Telemetry: make([]Telemetry, 255)}
	p.Telemetry[254].KeyProof[19] = 1
	b, err := AppendProof(nil, Layout8, &p)
	if err != nil {
		t.Fatal(err)
	}
	back, n, err := ParseProof(b, Layout8)
	if err != nil || n != len(b) || len(back.Telemetry) != 255 || back.Telemetry[254] != p.Telemetry[254] {
		t.Errorf("%d of %d bytes, %d records, %v", n, len(b), len(back.Telemetry), err)
	}
}
