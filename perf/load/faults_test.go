//go:build linux

package load

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
)

// mustServe lets handle play the server for each connection, until the test
// ends. handle must return when the connection is closed.
func mustServe(t *testing.T, handle func(net.Conn)) Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return Target{Addr: l.Addr().(*net.TCPAddr).AddrPort()}
}

// script answers each read with the next of the given bytes, then waits for the
// client to go.
func script(answers ...[]byte) func(net.Conn) {
	return func(conn net.Conn) {
		var b [512]byte
		for _, answer := range answers {
			if _, err := conn.Read(b[:]); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
		_, _ = io.Copy(io.Discard, conn)
	}
}

// cutOff is script with the server closing right after the last answer.
func cutOff(answers ...[]byte) func(net.Conn) {
	return func(conn net.Conn) {
		var b [512]byte
		for _, answer := range answers {
			if _, err := conn.Read(b[:]); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// hangUp is script with the server closing when the client goes on. It reads
// first: closing on unread bytes would be a reset.
func hangUp(answers ...[]byte) func(net.Conn) {
	play := cutOff(answers...)
	return func(conn net.Conn) {
		play(conn)
		var b [512]byte
		_, _ = conn.Read(b[:])
	}
}

func TestRunLogin_Faults_AreToldApart(t *testing.T) {
	floor := newCanned()
	proof, list := floor.vanilla.proof, floor.vanilla.list
	cases := []struct {
		name    string
		handle  func(net.Conn)
		timeout time.Duration
		want    Fault
	}{
		{"closes before it answers", hangUp(), time.Minute, FaultClosed},
		{"closes after the challenge", hangUp(floor.challenge), time.Minute, FaultClosed},
		{"closes after half a challenge", cutOff(floor.challenge[:60]), time.Minute, FaultClosed},
		{"closes in the list", cutOff(floor.challenge, proof, list[:7]), time.Minute, FaultClosed},
		{"never answers", script(), 30 * time.Millisecond, FaultTimeout},
		{"never ends the list", script(floor.challenge, proof, list[:2]), 30 * time.Millisecond, FaultTimeout},
		{"garbage for a challenge", script([]byte("HTTP/1.1 400")), time.Minute, FaultGarbage},
		{"a challenge and more", script(append(floor.challenge[:119:119], 0)), time.Minute, FaultGarbage},
		{"garbage for a proof", script(floor.challenge, []byte{9, 9}), time.Minute, FaultGarbage},
		{"garbage for a list", script(floor.challenge, proof, proof), time.Minute, FaultGarbage},
		{"a list and more", script(floor.challenge, proof, append(list[:len(list):len(list)], 0)), time.Minute, FaultGarbage},
		{"refuses the name", script([]byte{0, 0, 4}), time.Minute, FaultRefused},
		{"refuses the proof", script(floor.challenge, []byte{1, 4}), time.Minute, FaultRefused},
		{"asks for a PIN", script(withPIN(t)), time.Minute, FaultGarbage},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			target := mustServe(t, c.handle)
			target.Canned = true
			run := mustLogin(t, target, LoginOptions{Clients: Clients{Timeout: c.timeout}, Count: 6, Concurrency: 2})
			if run.tally.faults[c.want] != 6 || run.tally.failed() != 6 || run.tally.logins() != 0 {
				t.Errorf("faults %v and %d logins, want 6 × %v", run.tally.faultCounts(), run.tally.logins(), c.want)
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
	floor := newCanned()
	target := mustServe(t, script(floor.challenge, floor.vanilla.proof))
	run := mustLogin(t, target, LoginOptions{Count: 4, Concurrency: 2})
	if run.tally.faults[FaultProof] != 4 {
		t.Errorf("faults %v, want 4 × %v", run.tally.faultCounts(), FaultProof)
	}
}

func TestRunLogin_RefusalIsThePlan(t *testing.T) {
	floor := newCanned()
	refuse := mustServe(t, script(floor.challenge, []byte{1, 4}))
	accept := mustServe(t, script(floor.challenge, floor.vanilla.proof))
	o := LoginOptions{Count: 40, Concurrency: 4, WrongPercent: 50, UnknownPercent: 50}
	run := mustLogin(t, refuse, o)
	wrong, unknown := run.tally.done[PlanWrong], run.tally.done[PlanUnknown]
	if wrong+unknown != 40 || wrong == 0 || unknown == 0 || run.tally.failed() != 0 {
		t.Errorf("%d wrong, %d unknown, %v failed, want 40 refusals as planned", wrong, unknown, run.tally.faultCounts())
	}
	run = mustLogin(t, accept, o)
	if run.tally.faults[FaultAccepted] != 40 {
		t.Errorf("faults %v, want 40 × %v", run.tally.faultCounts(), FaultAccepted)
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
		o := LoginOptions{Clients: Clients{Build: build, Accounts: MakeAccounts(3)}, Count: 12, Concurrency: 4}
		run := mustLogin(t, target, o)
		if run.tally.done[PlanRight] != 12 || run.tally.failed() != 0 {
			t.Errorf("build %d: %d done, failed %v", build, run.tally.done[PlanRight], run.tally.faultCounts())
		}
	}
}

func TestEngine_ServerClosesHeldOnes_CountsAsDropped(t *testing.T) {
	floor := newCanned()
	target := mustServe(t, hangUp(floor.challenge, floor.vanilla.proof, floor.vanilla.list))
	target.Canned = true
	c := mustHold(t, target, 4)
	await(t, func() bool { return c.dropped() == 4 })
	c.stop(stopNow)
	if c.held() != 0 || c.counted() != 4 {
		t.Errorf("%d held, %d logged in, want none and 4", c.held(), c.counted())
	}
}
