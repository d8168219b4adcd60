package load

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
)

// cast knows the accounts that an engine plays, and does their arithmetic. It
// belongs to the engine.
//
// The client's half of the key exchange costs more than the server's, so what
// does not change from login to login is worked out at an account's first one
// and kept: the client's key pair, and what follows from salt and password. The
// server cannot tell: its own key is new each time, and so is the proof.
type cast struct {
	rosters [PlanCount][]actor
	turn    [PlanCount]int
	wrong   int // percent
	unknown int // percent
	dice    *rand.Rand
	layout  grunt.Layout
	proof   grunt.Proof // scratch
}

// castOptions says who plays.
type castOptions struct {
	Accounts []Account // not empty
	// WrongPercent and UnknownPercent of the logins use another password or an
	// account that does not exist.
	WrongPercent, UnknownPercent int
	Seed                         uint64
	Build                        grunt.Build
}

// role is the part a client plays in one login.
type role struct {
	plan Plan
	who  int32 // index in the plan's roster
}

// strangers is how many accounts that do not exist are tried in turn.
const strangers = 1000

func newCast(o castOptions) *cast {
	c := &cast{
		wrong: o.WrongPercent, unknown: o.UnknownPercent,
		dice: rand.New(rand.NewPCG(o.Seed, 1)), layout: grunt.LayoutOf(o.Build),
	}
	c.rosters[PlanRight] = newRoster(o.Accounts, asGiven)
	if o.WrongPercent > 0 {
		c.rosters[PlanWrong] = newRoster(o.Accounts, otherPassword)
	}
	if o.UnknownPercent > 0 {
		c.rosters[PlanUnknown] = newRoster(make([]Account, strangers), stranger)
	}
	return c
}

// next picks the role of the next login.
func (c *cast) next() role {
	plan := PlanRight
	if c.wrong+c.unknown > 0 {
		switch roll := c.dice.IntN(100); {
		case roll < c.wrong:
			plan = PlanWrong
		case roll < c.wrong+c.unknown:
			plan = PlanUnknown
		}
	}
	who := c.turn[plan]
	c.turn[plan] = (who + 1) % len(c.rosters[plan])
	return role{plan: plan, who: int32(who)}
}

// name is whose account a role is about.
func (c *cast) name(r role) string { return c.rosters[r.plan][r.who].name.String() }

// actor is one account as the engine plays it.
type actor struct {
	name     codec.Name
	password string
	known    bool // client is made
	client   srp6.Client
}

// secret is the client's secret exponent for an account. It need not be one:
// what it would protect is a password that everybody knows.
func (a *actor) secret() [32]byte { return sha256.Sum256(a.name[:]) }

// newRoster makes actors of accounts, each passed through change first.
func newRoster(accounts []Account, change func(int, Account) Account) []actor {
	roster := make([]actor, len(accounts))
	for i, a := range accounts {
		a = change(i, a)
		name, ok := codec.NameOf(strings.ToUpper(a.Name))
		if !ok {
			panic("load: account name of bad length: " + a.Name)
		}
		roster[i] = actor{name: name, password: a.Password}
	}
	return roster
}

func asGiven(_ int, a Account) Account { return a }

// otherPassword is another password of the same length or so.
func otherPassword(_ int, a Account) Account {
	return Account{Name: a.Name, Password: "NOT" + a.Password[:min(len(a.Password), codec.MaxName-3)]}
}

// stranger is an account that nobody has made.
func stranger(i int, _ Account) Account {
	return Account{Name: fmt.Sprintf("NOBODY%06d", i), Password: "PASS"}
}

// appendChallenge writes the first message of a login.
func (c *cast) appendChallenge(dst []byte, r role, build grunt.Build) []byte {
	return c.appendHello(dst, codec.KindLogonChallenge, c.hello(r, build))
}

// appendReconnect writes the first message of a client that comes back.
func (c *cast) appendReconnect(dst []byte, r role, build grunt.Build) []byte {
	return c.appendHello(dst, codec.KindReconnectChallenge, c.hello(r, build))
}

func (c *cast) appendHello(dst []byte, kind codec.Kind, hello codec.Hello) []byte {
	dst, err := grunt.AppendChallenge(dst, kind, &hello)
	if err != nil {
		panic(err) // a roster has no empty names
	}
	return dst
}

func (c *cast) hello(r role, build grunt.Build) codec.Hello {
	hello := codec.Hello{
		Name: c.rosters[r.plan][r.who].name, Major: 1, Minor: 12, Patch: 1, Build: uint16(build), Version: 3,
		Platform: codec.Tag{'x', '8', '6'}, System: codec.Tag{'W', 'i', 'n'}, Locale: codec.Tag{'e', 'n', 'U', 'S'},
		ClaimedIP: [4]byte{127, 0, 0, 1},
	}
	if build > lastVanillaBuild {
		hello.Major, hello.Minor, hello.Patch, hello.Version = 2, 4, 3, 8
	}
	return hello
}

// appendProof writes the answer to a challenge; client is the exchange's state,
// for what the server answers. It is false for a key or a second factor that no
// player could answer.
func (c *cast) appendProof(dst []byte, r role, ch *codec.Challenge, client *srp6.Client) ([]byte, bool) {
	if ch.Factors != 0 {
		return dst, false
	}
	a := &c.rosters[r.plan][r.who]
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
