//go:build linux

package load

import (
	"io"
	"net"
	"testing"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/perf/load/floor"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/engine"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/players"
)

// mustServe is a target that calls handle for each connection.
func mustServe(t *testing.T, handle func(net.Conn)) Target {
	t.Helper()
	return Target{Addr: loadtest.Serve(t, handle)}
}

func TestRunLogin_Faults_AreToldApart(t *testing.T) {
	floor := floor.NewCanned()
	proof, list := floor.Vanilla.Proof, floor.Vanilla.List
	cases := []struct {
		name    string
		handle  func(net.Conn)
		timeout time.Duration
		want    counts.Fault
	}{
		{"closes before it answers", loadtest.HangUp(), time.Minute, counts.FaultClosed},
		{"closes after the challenge", loadtest.HangUp(floor.Challenge), time.Minute, counts.FaultClosed},
		{"closes after half a challenge", loadtest.CutOff(floor.Challenge[:60]), time.Minute, counts.FaultClosed},
		{"closes in the list", loadtest.CutOff(floor.Challenge, proof, list[:7]), time.Minute, counts.FaultClosed},
		{"never answers", loadtest.Script(), 30 * time.Millisecond, counts.FaultTimeout},
		{"never ends the list", loadtest.Script(floor.Challenge, proof, list[:2]), 30 * time.Millisecond, counts.FaultTimeout},
		{"garbage for a challenge", loadtest.Script([]byte("HTTP/1.1 400")), time.Minute, counts.FaultGarbage},
		{"a challenge and more", loadtest.Script(append(floor.Challenge[:119:119], 0)), time.Minute, counts.FaultGarbage},
		{"garbage for a proof", loadtest.Script(floor.Challenge, []byte{9, 9}), time.Minute, counts.FaultGarbage},
		{"garbage for a list", loadtest.Script(floor.Challenge, proof, proof), time.Minute, counts.FaultGarbage},
		{"a list and more", loadtest.Script(floor.Challenge, proof, append(list[:len(list):len(list)], 0)), time.Minute, counts.FaultGarbage},
		{"refuses the name", loadtest.Script([]byte{0, 0, 4}), time.Minute, counts.FaultRefused},
		{"refuses the proof", loadtest.Script(floor.Challenge, []byte{1, 4}), time.Minute, counts.FaultRefused},
		{"asks for a PIN", loadtest.Script(withPIN(t)), time.Minute, counts.FaultGarbage},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			target := mustServe(t, c.handle)
			target.Canned = true
			run := mustLogin(t, target, LoginOptions{Clients: Clients{Timeout: c.timeout}, Count: 6, Concurrency: 2})
			if run.counts.Faults[c.want] != 6 || run.counts.Failed() != 6 || run.counts.Completed() != 0 {
				t.Errorf("faults %v and %d logins, want 6 × %v", run.counts.FaultCounts(), run.counts.Completed(), c.want)
			}
		})
	}
}

func withPIN(t *testing.T) []byte {
	t.Helper()
	reply := codec.Reply{Challenge: codec.Challenge{B: [32]byte{1}, Factors: codec.FactorPIN}}
	b, err := grunt.AppendChallengeReply(nil, grunt.Layout3, &reply)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRunLogin_CannedProof_IsWrongForARealServer(t *testing.T) {
	floor := floor.NewCanned()
	target := mustServe(t, loadtest.Script(floor.Challenge, floor.Vanilla.Proof))
	run := mustLogin(t, target, LoginOptions{Count: 4, Concurrency: 2})
	if run.counts.Faults[counts.FaultProof] != 4 {
		t.Errorf("faults %v, want 4 × %v", run.counts.FaultCounts(), counts.FaultProof)
	}
}

func TestRunLogin_RefusalIsThePlan(t *testing.T) {
	floor := floor.NewCanned()
	refuse := mustServe(t, loadtest.Script(floor.Challenge, []byte{1, 4}))
	accept := mustServe(t, loadtest.Script(floor.Challenge, floor.Vanilla.Proof))
	o := LoginOptions{Count: 40, Concurrency: 4, WrongPercent: 50, UnknownPercent: 50}
	run := mustLogin(t, refuse, o)
	wrong, unknown := run.counts.Done[counts.PlanWrong], run.counts.Done[counts.PlanUnknown]
	if wrong+unknown != 40 || wrong == 0 || unknown == 0 || run.counts.Failed() != 0 {
		t.Errorf("%d wrong, %d unknown, %v failed, want 40 refusals as planned", wrong, unknown, run.counts.FaultCounts())
	}
	run = mustLogin(t, accept, o)
	if run.counts.Faults[counts.FaultAccepted] != 40 {
		t.Errorf("faults %v, want 40 × %v", run.counts.FaultCounts(), counts.FaultAccepted)
	}
}

// honest is a server that knows the accounts of MakeAccounts, and sends every
// answer one byte at a time.
func honest(t *testing.T, realms []grunt.Realm) func(net.Conn) {
	return func(conn net.Conn) {
		var b [512]byte
		n, _ := conn.Read(b[:])
		_, hello, _, err := grunt.ParseChallenge(b[:n])
		if err != nil {
			return // the test's probe, which says nothing
		}
		build := grunt.Build(hello.Build)
		layout := grunt.LayoutOf(build)
		salt := srp6.Salt{1, 2, 3}
		name := hello.Name.String()
		x := srp6.Exchange{Name: hello.Name, Salt: salt, Verifier: srp6.NewVerifier(&salt, name, "PASS"+name[4:])}
		key := srp6.NewEphemeral(&[srp6.SecretSize]byte{4, 5, 6, 7})
		x.B = key.PublicKey(&x.Verifier)
		reply := codec.Reply{Challenge: codec.Challenge{B: x.B, Salt: salt}}
		challenge, _ := grunt.AppendChallengeReply(nil, layout, &reply)
		drip(conn, challenge)
		n, _ = conn.Read(b[:])
		proof, _, err := grunt.ParseProof(b[:n], layout)
		if err != nil {
			t.Errorf("proof: %v", err)
			return
		}
		x.A, x.M1 = proof.A, proof.M1
		_, m2, err := key.Verify(&x)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		drip(conn, grunt.AppendProofReply(nil, layout, &codec.Reply{M2: m2}))
		_, _ = conn.Read(b[:])
		list, _ := grunt.AppendRealmList(nil, build, realms)
		drip(conn, list)
		_, _ = io.Copy(io.Discard, conn)
	}
}

func drip(conn net.Conn, b []byte) {
	for i := range b {
		_, _ = conn.Write(b[i : i+1])
	}
}

func TestRunLogin_HonestServer_BelievesItsProof(t *testing.T) {
	realms := make([]grunt.Realm, 20) // longer than a client's first buffer
	for i := range realms {
		realms[i] = grunt.Realm{Name: "A realm with a name", Address: "127.0.0.1:8085"}
	}
	target := mustServe(t, honest(t, realms))
	for _, build := range []grunt.Build{grunt.Build1121, grunt.Build243, grunt.Build335} {
		o := LoginOptions{Clients: Clients{Build: build, Accounts: players.MakeAccounts(3)}, Count: 12, Concurrency: 4}
		run := mustLogin(t, target, o)
		if run.counts.Done[counts.PlanRight] != 12 || run.counts.Failed() != 0 {
			t.Errorf("build %d: %d done, failed %v", build, run.counts.Done[counts.PlanRight], run.counts.FaultCounts())
		}
	}
}

func TestEngine_ServerClosesHeldOnes_CountsAsDropped(t *testing.T) {
	floor := floor.NewCanned()
	target := mustServe(t, loadtest.HangUp(floor.Challenge, floor.Vanilla.Proof, floor.Vanilla.List))
	target.Canned = true
	c := mustHold(t, target, 4)
	loadtest.Await(t, func() bool { return c.Dropped() == 4 })
	c.Stop(engine.StopNow)
	if c.Held() != 0 || c.Counted() != 4 {
		t.Errorf("%d held, %d logged in, want none and 4", c.Held(), c.Counted())
	}
}
