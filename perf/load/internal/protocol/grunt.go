package protocol

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/players"
)

// Accounts is the accounts that one event loop plays. It chooses what each login attempts,
// and it is the client's side of the grunt protocol: it writes messages and computes
// proofs. It is not safe for concurrent use.
//
// The client's half of the key exchange costs more than the server's. Therefore the parts
// that do not change between logins (the client's key pair, and what follows from salt
// and password) are computed at an account's first login and kept. This does not change
// the server's work: its key, and with it the proof, is new each time.
type Accounts struct {
	// byPlan has the accounts of each plan, turn the index of the next one to use.
	byPlan    [counts.PlanCount][]account
	nextIndex [counts.PlanCount]int
	wrong     int // percent of logins
	unknown   int // percent of logins
	// Random draws plans and the clients' random values.
	Random *rand.Rand
	layout grunt.Layout
	proof  grunt.Proof // scratch
}

// AccountsOptions configures Accounts.
type AccountsOptions struct {
	Accounts []players.Account // not empty
	// WrongPercent of the logins use a wrong password, UnknownPercent an account that does
	// not exist.
	WrongPercent, UnknownPercent int
	Seed                         uint64
	Build                        grunt.Build
}

// Attempt is what one login attempts and with which account.
type Attempt struct {
	Plan  counts.Plan
	Index int32 // index in the plan's accounts
}

// unknownAccounts is how many accounts that do not exist are tried in turn.
const unknownAccounts = 1000

func NewAccounts(o AccountsOptions) *Accounts {
	c := &Accounts{
		wrong: o.WrongPercent, unknown: o.UnknownPercent,
		Random: rand.New(rand.NewPCG(o.Seed, 1)), layout: grunt.LayoutOf(o.Build),
	}
	c.byPlan[counts.PlanRight] = newAccounts(o.Accounts, unchanged)
	if o.WrongPercent > 0 {
		c.byPlan[counts.PlanWrong] = newAccounts(o.Accounts, wrongPassword)
	}
	if o.UnknownPercent > 0 {
		c.byPlan[counts.PlanUnknown] = newAccounts(make([]players.Account, unknownAccounts), unknownAccount)
	}
	return c
}

// Next chooses what the next login attempts.
func (c *Accounts) Next() Attempt {
	plan := counts.PlanRight
	if c.wrong+c.unknown > 0 {
		switch roll := c.Random.IntN(100); {
		case roll < c.wrong:
			plan = counts.PlanWrong
		case roll < c.wrong+c.unknown:
			plan = counts.PlanUnknown
		}
	}
	who := c.nextIndex[plan]
	c.nextIndex[plan] = (who + 1) % len(c.byPlan[plan])
	return Attempt{Plan: plan, Index: int32(who)}
}

// Name returns the name of the attempt's account.
func (c *Accounts) Name(r Attempt) string { return c.CodecName(r).String() }

// CodecName returns the name in the codec's form.
func (c *Accounts) CodecName(r Attempt) *codec.Name { return &c.byPlan[r.Plan][r.Index].name }

// account is one account with what is kept between its logins.
type account struct {
	name     codec.Name
	password string
	known    bool // client is valid
	client   srp6.Client
}

// secret returns the client's secret exponent for the account. It need not be secret,
// because the password is not.
func (a *account) secret() [32]byte { return sha256.Sum256(a.name[:]) }

// newAccounts prepares accounts, after change has been applied to each.
func newAccounts(accounts []players.Account, change func(int, players.Account) players.Account) []account {
	roster := make([]account, len(accounts))
	for i, a := range accounts {
		a = change(i, a)
		name, ok := codec.NameOf(strings.ToUpper(a.Name))
		if !ok {
			panic("load: account name of bad length: " + a.Name)
		}
		roster[i] = account{name: name, password: a.Password}
	}
	return roster
}

func unchanged(_ int, a players.Account) players.Account { return a }

// wrongPassword gives the account a wrong password of about the same length.
func wrongPassword(_ int, a players.Account) players.Account {
	return players.Account{Name: a.Name, Password: "NOT" + a.Password[:min(len(a.Password), codec.MaxName-3)]}
}

// unknownAccount returns an account that does not exist on the server.
func unknownAccount(i int, _ players.Account) players.Account {
	return players.Account{Name: fmt.Sprintf("NOBODY%06d", i), Password: "PASS"}
}

// AppendChallenge writes the first message of a login.
func (c *Accounts) AppendChallenge(dst []byte, r Attempt, build grunt.Build) []byte {
	return c.appendHello(dst, codec.KindLogonChallenge, c.hello(r, build))
}

// AppendReconnect writes the first message of a reconnect.
func (c *Accounts) AppendReconnect(dst []byte, r Attempt, build grunt.Build) []byte {
	return c.appendHello(dst, codec.KindReconnectChallenge, c.hello(r, build))
}

func (c *Accounts) appendHello(dst []byte, kind codec.Kind, hello codec.Hello) []byte {
	dst, err := grunt.AppendChallenge(dst, kind, &hello)
	if err != nil {
		panic(err) // no account has an empty name
	}
	return dst
}

func (c *Accounts) hello(r Attempt, build grunt.Build) codec.Hello {
	hello := codec.Hello{
		Name: c.byPlan[r.Plan][r.Index].name, Major: 1, Minor: 12, Patch: 1, Build: uint16(build), Version: 3,
		Platform: codec.Tag{'x', '8', '6'}, System: codec.Tag{'W', 'i', 'n'}, Locale: codec.Tag{'e', 'n', 'U', 'S'},
		ClaimedIP: [4]byte{127, 0, 0, 1},
	}
	if build > LastVanillaBuild {
		hello.Major, hello.Minor, hello.Patch, hello.Version = 2, 4, 3, 8
	}
	return hello
}

// AppendProof writes the answer to a challenge and stores the state of the exchange in
// client, for checking the server's answer. It returns false if the server's key is
// invalid or if it asks for a second factor.
func (c *Accounts) AppendProof(dst []byte, r Attempt, ch *codec.Challenge, client *srp6.Client) ([]byte, bool) {
	if ch.Factors != 0 {
		return dst, false
	}
	a := &c.byPlan[r.Plan][r.Index]
	if !a.known {
		secret := a.secret()
		a.client, a.known = *srp6.NewClient(a.name.String(), a.password, &secret), true
	}
	*client = a.client
	b, salt := srp6.PublicKey(ch.B), srp6.Salt(ch.Salt)
	m1, err := client.Respond(&b, &salt)
	if err != nil {
		return dst, false
	}
	c.proof.A, c.proof.M1 = client.PublicKey(), m1
	dst, err = grunt.AppendProof(dst, c.layout, &c.proof)
	return dst, err == nil
}
