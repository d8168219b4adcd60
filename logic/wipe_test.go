package logic

import (
	"bytes"
	"reflect"
	"testing"

	"gatepass/auth"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/logic/factor"
	"gatepass/storage"
	"gatepass/worlds"
)

// mustBeZero fails the test when something is left of a secret.
func mustBeZero(t *testing.T, what string, v any) {
	t.Helper()
	if !reflect.ValueOf(v).IsZero() {
		t.Errorf("%s is not wiped", what)
	}
}

// secretExchange is a native exchange with something secret in it.
func secretExchange() *auth.NativeExchange {
	x := new(auth.NativeExchange)
	x.Keys.Session[0], x.M2[0] = 1, 1
	return x
}

// What an attempt points at is wiped with it: others may hold it, too.
func TestAttempt_Wipe_WhatItPointsAt(t *testing.T) {
	secret, exchange := auth.TOTPSecret{1, 2, 3}, secretExchange()
	second := factor.New(&storage.Account{PIN: "1234", TOTPSecret: secret})
	native := &nativeAttempt{exchange: exchange}
	native.keys.Session[0] = 1
	a := &attempt{factor: second, native: native}
	a.key[0] = 1
	a.wipe()
	mustBeZero(t, "the attempt", *a)
	mustBeZero(t, "the second factor", *second)
	mustBeZero(t, "the native attempt", *native)
	mustBeZero(t, "the session key of the exchange", exchange.Keys)
	if !bytes.Equal(secret, make([]byte, len(secret))) {
		t.Errorf("the authenticator's secret is not wiped: %v", []byte(secret))
	}
}

// A session's attempt that is used again has nothing of the last one.
func TestSessionTable_EndAttempt_Wipes(t *testing.T) {
	var table sessionTable
	a := &attempt{known: true}
	a.key[0] = 1
	s := &session{attempt: a}
	table.endAttempt(s)
	mustBeZero(t, "the attempt", *a)
	if s.attempt != nil {
		t.Error("the session has it still")
	}
}

func TestKeyPool_Take_LeavesNoKey(t *testing.T) {
	random := [srp6.SecretSize]byte{9}
	k := &keyPool{keys: []srp6.Ephemeral{srp6.NewEphemeral(&random)}}
	whole := k.keys
	var e srp6.Ephemeral
	if !k.take(&e) || reflect.ValueOf(e).IsZero() {
		t.Fatal("no key")
	}
	mustBeZero(t, "the key in the pool", whole[0])
}

// The pool's results are the logic's to wipe, whoever they were for.
func TestCore_Proved_WipesTheResult(t *testing.T) {
	e := newScenario(t)
	for _, kind := range []auth.JobKind{auth.JobMint, auth.JobProve, auth.JobNativeChallenge, auth.JobNativeProve} {
		random := [srp6.SecretSize]byte{9}
		exchange := secretExchange()
		r := &auth.Result{Kind: kind, Tag: 77, Ephemeral: srp6.NewEphemeral(&random), Native: exchange}
		r.Key[0], r.Random[0] = 1, 1
		e.core.Step(FromPool(r))
		mustBeZero(t, "the key", r.Key)
		mustBeZero(t, "the ephemeral key", r.Ephemeral)
		mustBeZero(t, "what is drawn from", r.Random)
		if kind == auth.JobNativeChallenge || kind == auth.JobNativeProve {
			mustBeZero(t, "the native keys", exchange.Keys)
		}
	}
}

// Jobs that the pool does not take are wiped with those that it took.
func TestCore_SubmitJobs_Wipes(t *testing.T) {
	e := newScenario(t)
	e.proveOff = true
	random := [srp6.SecretSize]byte{9}
	exchange := secretExchange()
	e.core.effects.jobs = append(e.core.effects.jobs[:0],
		auth.Job{Kind: auth.JobProve, Tag: 77, Ephemeral: srp6.NewEphemeral(&random)},
		auth.Job{Kind: auth.JobNativeProve, Tag: 78, Native: exchange})
	jobs := e.core.effects.jobs
	e.core.effects.submitJobs(e.core)
	mustBeZero(t, "a job", jobs[0])
	mustBeZero(t, "a native job", jobs[1])
	mustBeZero(t, "the keys of a refused job", exchange.Keys)
}

// What the bus brings is the logic's own.
func TestCore_Region_WipesKeys(t *testing.T) {
	e := newScenario(t)
	move := &worlds.Move{Key: worlds.NewSecret([]byte{1, 2, 3})}
	e.core.Step(FromBus(&worlds.Event{From: worlds.LoginNode("b"), Move: move}))
	mustBeZero(t, "the key of a move", move.Key)
}

func TestNativeSession_ForgetSecret(t *testing.T) {
	secret := worlds.NewSecret([]byte{1, 2, 3})
	n := &nativeSession{worldPick: worldPick{secret: &secret}}
	n.forgetSecret()
	mustBeZero(t, "the secret", secret)
	if n.secret != nil {
		t.Error("the session has it still")
	}
}

// The key that is held again is a copy: the session keeps none.
func TestCore_Renew_LeavesNoSecret(t *testing.T) {
	e := newScenario(t)
	name, _ := codec.NameOf("ALICE")
	secret := worlds.NewSecret([]byte{1, 2, 3})
	s := &session{conn: codec.NewConn(0, 1, 1), name: storage.Name(name), protocol: codec.ProtocolNative, native: &nativeSession{worldPick: worldPick{secret: &secret}}}
	e.core.selection.renew(s)
	mustBeZero(t, "the secret", secret)
	if h := e.core.keys.passes.Find(name); h == nil || reflect.ValueOf(*h.Key()).IsZero() {
		t.Error("the account has no key")
	}
}

// The proof takes the ephemeral key along.
func TestVerifying_Enter_LeavesNoKey(t *testing.T) {
	e := newScenario(t)
	random := [srp6.SecretSize]byte{9}
	s := &session{conn: codec.NewConn(0, 1, 1), attempt: &attempt{ephemeral: srp6.NewEphemeral(&random)}}
	verifying{}.Enter(e.core, s)
	mustBeZero(t, "the ephemeral key", s.attempt.ephemeral)
	if len(e.core.effects.jobs) == 0 || reflect.ValueOf(e.core.effects.jobs[len(e.core.effects.jobs)-1].Ephemeral).IsZero() {
		t.Error("the job has no key")
	}
}
