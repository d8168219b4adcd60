package wire

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatepass/codec"
	"gatepass/worlds"
)

func sampleRegistration(id uint8, incarnation uint64) worlds.Registration {
	return worlds.Registration{
		World: worlds.World{
			ID: id, Name: "World H", Address: "10.0.0.1:8085", Kind: worlds.KindPvP, Category: 1,
			Builds: []uint16{5875, 12340},
		},
		Region: "eu", Incarnation: incarnation, Capacity: 100,
	}
}

func mustName(tb testing.TB, s string) codec.Name {
	tb.Helper()
	n, ok := codec.NameOf(s)
	if !ok {
		tb.Fatalf("%q is no name", s)
	}
	return n
}

func fullEntry() worlds.Entry {
	e := worlds.Entry{Registration: sampleRegistration(7, 1<<63+5), Players: 50, Queue: 3, Load: 0.25}
	e.Routes = []worlds.Route{{Network: netip.MustParsePrefix("10.0.0.0/8"), Address: "10.0.0.1:8085", Native: "10.0.0.1:8086"}}
	e.Native, e.NativeBuilds = "192.0.2.1:8086", []uint16{1, 2}
	e.Locked, e.Full, e.Offline = true, true, true
	return e
}

// TestWire_EntryKeepsEveryField fails for a field that is added to an Entry and
// forgotten here: but for the population and queue that clients are shown, which
// are made of the others, all travel.
func TestWire_EntryKeepsEveryField(t *testing.T) {
	t.Parallel()
	e := fullEntry()
	requireFull(t, reflect.ValueOf(e), nil)
	for _, c := range []worlds.Change{{Version: worlds.Version{Epoch: 1, Seq: 2}, Entry: &e}, {Version: worlds.Version{Epoch: 3}, Reset: true}} {
		got, err := DecodeChange(EncodeChange(&c))
		if err != nil || !reflect.DeepEqual(*got, c) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	s := worlds.Snapshot{Version: worlds.Version{Epoch: 1, Seq: 2}, Entries: []worlds.Entry{e, {Registration: sampleRegistration(8, 1)}}}
	s.VoucherKey = worlds.NewSecret(bytes.Repeat([]byte{9}, worlds.VoucherKeySize))
	if got, err := DecodeSnapshot(EncodeSnapshot(&s)); err != nil || !reflect.DeepEqual(*got, s) {
		t.Errorf("%+v, %v", got, err)
	}
}

func requireFull(t *testing.T, v reflect.Value, within []string) {
	t.Helper()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		path := append(within[:len(within):len(within)], f.Name)
		switch name := strings.Join(path, "."); {
		case f.Anonymous:
			requireFull(t, v.Field(i), path)
		case name == "Registration.World.Population" || name == "Registration.World.Queue":
		case v.Field(i).IsZero():
			t.Errorf("the test does not fill %s", name)
		}
	}
}

func TestWire_RegistrationKeepsEveryField(t *testing.T) {
	t.Parallel()
	r := fullEntry().Registration
	b, err := EncodeRegistration(&r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeRegistration(7, b)
	r.Offline = false // the manager says that
	if err != nil || !reflect.DeepEqual(*got, r) {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWire_LargestFit: what the core takes, the bus carries.
func TestWire_LargestFit(t *testing.T) {
	t.Parallel()
	e := fullEntry()
	e.Name, e.Address, e.Region = strings.Repeat("N", 64), strings.Repeat("a.", 61)+":65535", strings.Repeat("R", 32)
	e.Players, e.Queue, e.Load, e.Capacity = 1<<32-1, 1<<32-1, 0.12345679, worlds.MaxCapacity
	e.Builds, e.NativeBuilds, e.Routes, e.Native = nil, nil, nil, e.Address
	for i := range 32 {
		e.Builds, e.NativeBuilds = append(e.Builds, uint16(65535-i)), append(e.NativeBuilds, uint16(65535-i))
	}
	for i := range 8 {
		network := netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, byte(i)}), 128)
		e.Routes = append(e.Routes, worlds.Route{Network: network, Address: e.Address, Native: e.Address})
	}
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	if b, err := EncodeRegistration(&e.Registration); err != nil {
		t.Errorf("registration: %d bytes, %v", len(b), err)
	}
	if b := EncodeChange(&worlds.Change{Version: worlds.Version{Epoch: 1, Seq: 1}, Entry: &e}); len(b) > maxChange {
		t.Errorf("change: %d bytes", len(b))
	}
	s := worlds.Snapshot{}
	for id := range worlds.MaxWorlds {
		e.ID = uint8(id + 1)
		s.Entries = append(s.Entries, e)
	}
	b := EncodeSnapshot(&s)
	if _, err := DecodeSnapshot(b); err != nil || len(b) > MaxPayload {
		t.Errorf("snapshot of %d bytes, the bus carries %d: %v", len(b), MaxPayload, err)
	}
	entries := make([]worlds.Announcement, AnnounceBatch)
	for i := range entries {
		entries[i] = worlds.Announcement{Account: mustName(t, strings.Repeat(`"`, codec.MaxName)), Stamp: 1, Hop: 1<<32 - 1}
	}
	if _, got, err := DecodeAnnounce(AppendAnnounce(nil, 1, entries), nil); err != nil || len(got) != AnnounceBatch {
		t.Errorf("%d announcements, %v", len(got), err)
	}
}

// A list is no longer than the registrations that it is made of, whatever is in their
// texts.
func TestWire_PassedOnIsNoLonger(t *testing.T) {
	t.Parallel()
	raw := `{"name":"` + strings.Repeat("<", 64) + `","address":"` + strings.Repeat("&", 122) + `:8085","kind":"pve","category":0,"incarnation":"0000000000000001","capacity":1}`
	r, err := DecodeRegistration(7, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := EncodeRegistration(r); err != nil || len(b) > len(raw) {
		t.Errorf("%d bytes became %d: %v", len(raw), len(b), err)
	}
}

func sampleMoves() []worlds.Move {
	var name codec.Name
	copy(name[:], `AL"I\CE`)
	move := func(kind worlds.MoveKind) worlds.Move {
		return worlds.Move{Kind: kind, Pass: worlds.PassID{1, 2, 15: 3}, Account: name, Stamp: 1<<63 + 1, Hop: 4}
	}
	claim, reconnect := move(worlds.MoveClaim), move(worlds.MoveClaim)
	claim.Proof = &worlds.Proof{World: true, ClientSeed: [4]byte{1}, ServerSeed: [4]byte{2}, Digest: [20]byte{3}}
	reconnect.Proof = &worlds.Proof{Client: [16]byte{1}, Challenge: [16]byte{2}, Digest: [20]byte{3}}
	offer, accept, refuse := move(worlds.MoveOffer), move(worlds.MoveAccept), move(worlds.MoveRefuse)
	offer.Key, offer.Validity = worlds.NewSecret(bytes.Repeat([]byte{0xfe}, worlds.SecretMax)), 60000
	accept.Ticket = 1<<64 - 1
	commit := move(worlds.MoveCommit)
	commit.Voucher = worlds.Voucher{1, 15: 2}
	refuse.Reason = worlds.ReasonBusy
	return []worlds.Move{claim, reconnect, offer, accept, refuse, move(worlds.MoveRecall), commit}
}

func TestWire_MovesKeepEveryField(t *testing.T) {
	t.Parallel()
	for _, m := range sampleMoves() {
		b, err := AppendMove(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeMove(b)
		if err != nil || !reflect.DeepEqual(*got, m) {
			t.Errorf("%s: %+v, %v", b, got, err)
		}
	}
	if n := reflect.TypeFor[worlds.Move]().NumField(); n != 11 {
		t.Errorf("a Move has %d fields now: has the wire?", n)
	}
}

func TestWire_MovesThatSayTooMuchOrTooLittle(t *testing.T) {
	t.Parallel()
	head := `"pass":"000102030405060708090a0b0c0d0e0f","account":"ALICE","stamp":"0000000000000001","hop":1`
	good := `{"kind":"commit",` + head + `}`
	if _, err := DecodeMove([]byte(good)); err != nil {
		t.Fatalf("%s: %v", good, err)
	}
	for _, bad := range []string{
		`{"kind":"steal",` + head + `}`,
		`{"kind":"none",` + head + `}`,
		`{"kind":"commit",` + head + `,"key":"AAAA"}`,
		`{"kind":"commit",` + head + `,"voucher":"01"}`,
		`{"kind":"commit",` + head + `,"voucher":"0102030405060708090a0b0c0d0e0f1g"}`,
		`{"kind":"accept",` + head + `,"voucher":"0102030405060708090a0b0c0d0e0f10"}`,
		`{"kind":"offer",` + head + `}`,
		`{"kind":"offer",` + head + `,"key":"` + strings.Repeat("A", 88) + `"}`,
		`{"kind":"offer",` + head + `,"key":"*"}`,
		`{"kind":"claim",` + head + `}`,
		`{"kind":"claim",` + head + `,"proof":{"world":true}}`,
		`{"kind":"refuse",` + head + `}`,
		`{"kind":"refuse",` + head + `,"reason":"none"}`,
		`{"kind":"refuse",` + head + `,"reason":"whim"}`,
		`{"kind":"commit",` + head + `,"reason":"busy"}`,
		`{"kind":"commit",` + head + `,"validity":1}`,
		strings.Replace(good, "ALICE", "", 1),
		strings.Replace(good, "ALICE", "ALICEALICEALICEAL", 1),
		strings.Replace(good, "ALICE", "ÄLICE", 1),
		strings.Replace(good, "0f\"", "\"", 1),
		strings.Replace(good, `"0000000000000001"`, "1", 1),
		strings.Replace(good, `"0000000000000001"`, `"1"`, 1),
		good + good, good[:len(good)-1], "", "null", "[]", "7",
		strings.Repeat(" ", maxMove) + good,
	} {
		if m, err := DecodeMove([]byte(bad)); err == nil {
			t.Errorf("%.200s: %+v", bad, m)
		}
	}
}

func TestWire_MovesThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for _, m := range []worlds.Move{
		{Kind: worlds.MoveCommit},
		{Kind: worlds.MoveKindCount, Account: mustName(t, "A")},
		{Kind: worlds.MoveOffer, Account: mustName(t, "A")},
		{Kind: worlds.MoveCommit, Account: codec.Name{'A', 0x80}},
	} {
		if b, err := AppendMove(nil, &m); err == nil {
			t.Errorf("%+v: %s", m, b)
		}
	}
}

func TestWire_NamesAreFolded(t *testing.T) {
	t.Parallel()
	l, err := DecodeLocate([]byte(`{"account":"alice","tag":"0000000000000001"}`))
	if err != nil || l.Account != mustName(t, "ALICE") {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestWire_Announcements(t *testing.T) {
	t.Parallel()
	all := []worlds.Announcement{
		{Account: mustName(t, "ALICE"), Stamp: 1<<63 + 7, Hop: 1<<32 - 1, Kind: worlds.AnnounceFresh},
		{Account: mustName(t, `\"/`), Kind: worlds.AnnounceMoved},
		{Account: mustName(t, "ABCDEFGHIJKLMNOP"), Kind: worlds.AnnounceHeld},
		{Account: mustName(t, "B"), Kind: worlds.AnnounceGone},
		{Account: mustName(t, "C"), Stamp: 8, Kind: worlds.AnnounceRenewed},
	}
	unfit := append([]worlds.Announcement{{}, {Account: mustName(t, "A"), Kind: 5}, {Account: codec.Name{7}}}, all...)
	incarnation, got, err := DecodeAnnounce(AppendAnnounce(nil, 99, unfit), nil)
	if err != nil || incarnation != 99 || !reflect.DeepEqual(got, all) {
		t.Errorf("%d, %+v, %v", incarnation, got, err)
	}
	good := `{ "entries" : [ [ "alice" , "0000000000000001" , 2 , "held" ] ] , "incarnation" : "0000000000000003" } `
	if _, got, err = DecodeAnnounce([]byte(good), nil); err != nil || len(got) != 1 || got[0].Hop != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	entry := `["A","0000000000000001",2,"held"]`
	for _, bad := range []string{
		``, `{}`, `[]`, `{"incarnation":"0000000000000003"}`, `{"entries":[]}`,
		strings.Replace(good, "2", "02", 1), strings.Replace(good, "2", "-2", 1), strings.Replace(good, "2", "4294967296", 1),
		strings.Replace(good, "2", "2.0", 1), strings.Replace(good, "held", "hold", 1), strings.Replace(good, "alice", `\u0041`, 1),
		strings.Replace(good, "alice", "", 1), strings.Replace(good, "]", ",]", 1), strings.Replace(good, "0001", "001", 1),
		good + "x", strings.Replace(good, "entries", "Entries", 1), strings.Replace(good, "alice", "al\nce", 1),
		strings.Replace(good, "alice", strings.Repeat(`\"`, 40), 1),
		`{"incarnation":"0000000000000003","entries":[` + strings.Repeat(entry+",", MaxEntries) + entry + `]}`,
		strings.Repeat(" ", maxAnnounce) + good,
	} {
		if _, got, err := DecodeAnnounce([]byte(bad), nil); err == nil {
			t.Errorf("%.200s: %+v", bad, got)
		}
	}
}

func TestWire_Progress(t *testing.T) {
	t.Parallel()
	all := make([]worlds.Progress, ProgressBatch)
	for i := range all {
		all[i] = worlds.Progress{Pass: worlds.PassID{1, 2, 15: byte(i)}, Position: 1<<32 - 1}
	}
	all[1] = worlds.Progress{Pass: worlds.PassID{7}, Ended: `a "second" \ login, größer`}
	for _, n := range []int{0, 1, 2, ProgressBatch} {
		if got, err := DecodeProgress(AppendProgress(nil, all[:n])); err != nil || !slices.Equal(got, all[:n]) {
			t.Errorf("%d: %+v, %v", n, got, err)
		}
	}
	good := ` { "progress" : [ [ "000102030405060708090a0b0c0d0e0f" , 3 ] ] } `
	if got, err := DecodeProgress([]byte(good)); err != nil || len(got) != 1 || got[0].Position != 3 || got[0].Pass[15] != 15 {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{
		``, `{}`, `[]`, `{"progress":3}`, `{"progress":[],"progress":[]}`,
		strings.Replace(good, "3", "-3", 1), strings.Replace(good, "3", "4294967296", 1), strings.Replace(good, " 3 ", `"3"`, 1),
		strings.Replace(good, "0f", "", 1), strings.Replace(good, "0f", "0g", 1), strings.Replace(good, "progress", "Progress", 1),
		strings.Replace(good, "3", `3, 4`, 1), strings.Replace(good, "3", `3, "a", "b"`, 1), strings.Replace(good, "3", `3, "\u0041"`, 1),
		strings.Replace(good, "3", `3, "`+strings.Repeat("a", maxText+1)+`"`, 1), strings.Replace(good, "3", "3, \"\xff\"", 1),
		good + "x", string(AppendProgress(nil, append(all, worlds.Progress{}))), strings.Repeat(" ", maxProgress) + good,
	} {
		if got, err := DecodeProgress([]byte(bad)); err == nil {
			t.Errorf("%.200s: %+v", bad, got)
		}
	}
}

// Whatever a reason says, it goes through, shortened: the other progress of its
// message must not be lost because of it.
func TestWire_Progress_AnyReason(t *testing.T) {
	t.Parallel()
	for why, want := range map[string]string{
		"two\nlines":                    "two lines",
		"no\xfftext":                    "notext",
		strings.Repeat(`"`, maxText+9):  strings.Repeat(`"`, maxText),
		strings.Repeat("ö", maxText):    strings.Repeat("ö", maxText/2),
		"a" + strings.Repeat("ö", 1024): "a" + strings.Repeat("ö", (maxText-1)/2),
	} {
		all := make([]worlds.Progress, ProgressBatch)
		for i := range all {
			all[i] = worlds.Progress{Position: 1<<32 - 1, Ended: why}
		}
		got, err := DecodeProgress(AppendProgress(nil, all))
		if err != nil || len(got) != len(all) || got[7].Ended != want {
			t.Errorf("%.20q: %d, %v", why, len(got), err)
		}
	}
}

func TestWire_Orders(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	longest := strings.Repeat("<", worlds.MaxNotice)
	for _, o := range []worlds.Order{{Notice: "Größe 世界"}, {Notice: longest}, {Maintenance: &yes}, {Maintenance: &no}} {
		if got, err := DecodeOrder(EncodeOrder(&o)); err != nil || !reflect.DeepEqual(*got, o) {
			t.Errorf("%+v: %+v, %v", o, got, err)
		}
	}
	for _, bad := range []string{
		``, `{}`, `{"notice":""}`, `{"notice":"a","maintenance":true}`, `{"notice":"a\nb"}`, `{"notice":"a\u0000"}`, `{"notice":"a\u202eb"}`,
		`{"notice":"` + longest + `a"}`, `{"maintenance":null}`, `{"maintenance":1}`, strings.Repeat(" ", maxOrder) + `{"maintenance":true}`,
	} {
		if got, err := DecodeOrder([]byte(bad)); err == nil {
			t.Errorf("%.200s: %+v", bad, got)
		}
	}
}

func TestWire_LoginsThatAreNowhere(t *testing.T) {
	t.Parallel()
	good := `{"address":"192.0.2.1:3724","native":"login.example:3725","conns":1,"max_conns":2}`
	if b, err := DecodeLoginBeat("login.a", []byte(good)); err != nil || b.Native != "login.example:3725" {
		t.Errorf("%+v, %v", b, err)
	}
	for _, bad := range []string{
		strings.Replace(good, "192.0.2.1", "a.example", 1), strings.Replace(good, "login.example:3725", "login.example", 1),
		strings.Replace(good, "login.example", "", 1), strings.Replace(good, "login.example", strings.Repeat("a", maxText), 1),
	} {
		if b, err := DecodeLoginBeat("login.a", []byte(bad)); err == nil {
			t.Errorf("%.200s: %+v", bad, b)
		}
	}
}

func TestWire_ErrorsKeepSecrets(t *testing.T) {
	t.Parallel()
	_, err := DecodeMove([]byte(`{"kind":"offer","key":"c2VjcmV0!"}`))
	if err == nil || strings.Contains(err.Error(), "c2Vj") {
		t.Error(err)
	}
}

// appenders decode a payload and encode what was read, or nil.
func recoders() map[string]func(b []byte) []byte {
	return map[string]func(b []byte) []byte{
		"move": recode(DecodeMove, func(m *worlds.Move) []byte {
			b, err := AppendMove(nil, m)
			if err != nil {
				panic(err)
			}
			return b
		}),
		"place":       recodeOf(DecodePlace, EncodePlace),
		"locate":      recode(DecodeLocate, func(l *worlds.Locate) []byte { return AppendLocate(nil, l) }),
		"end":         recodeOf(DecodeEnd, EncodeEnd),
		"account end": recode(DecodeAccountEnd, func(e *worlds.AccountEnd) []byte { return AppendAccountEnd(nil, e) }),
		"change":      recode(DecodeChange, EncodeChange),
		"snapshot":    recode(DecodeSnapshot, EncodeSnapshot),
		"pulse":       recode(DecodePulse, func(p *worlds.Pulse) []byte { return EncodePulse(*p) }),
		"registration": recode(func(b []byte) (*worlds.Registration, error) { return DecodeRegistration(7, b) },
			func(r *worlds.Registration) []byte {
				return EncodeJSON(registrationToWire(r))
			}),
		"beat":       recode(DecodeBeat, EncodeBeat),
		"order":      recode(DecodeOrder, EncodeOrder),
		"progress":   recode(func(b []byte) (*[]worlds.Progress, error) { p, err := DecodeProgress(b); return &p, err }, func(p *[]worlds.Progress) []byte { return AppendProgress(nil, *p) }),
		"login":      recode(func(b []byte) (*worlds.LoginBeat, error) { l, err := DecodeLoginBeat("login.a", b); return &l, err }, EncodeLoginBeat),
		"logins":     recode(func(b []byte) (*[]worlds.LoginBeat, error) { l, err := DecodeLogins(b); return &l, err }, func(l *[]worlds.LoginBeat) []byte { return EncodeLogins(*l) }),
		"characters": recode(func(b []byte) (*worlds.Characters, error) { return DecodeCharacters(7, b) }, func(c *worlds.Characters) []byte { return AppendCharacters(nil, c.Counts) }),
		"announce": func(b []byte) []byte {
			incarnation, all, err := DecodeAnnounce(b, nil)
			if err != nil {
				return nil
			}
			return AppendAnnounce(nil, incarnation, all)
		},
	}
}

func recode[T any](decode func([]byte) (*T, error), encode func(*T) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		v, err := decode(b)
		if err != nil {
			return nil
		}
		return encode(v)
	}
}

// recodeOf is recode for what names the leader who says it.
func recodeOf[T any](decode func([]byte) (*T, uint64, error), encode func(*T, uint64) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		v, epoch, err := decode(b)
		if err != nil {
			return nil
		}
		return encode(v, epoch)
	}
}

func samples(tb testing.TB) map[string][]byte {
	e := fullEntry()
	name := mustName(tb, "ALICE")
	all := map[string][]byte{
		"place":        EncodePlace(&worlds.Place{Account: name, Holder: "login.eu1", Stamp: 1, Hop: 2, Tag: 3}, 5),
		"locate":       AppendLocate(nil, &worlds.Locate{Account: name, Tag: 3, Wait: true}),
		"end":          EncodeEnd(&worlds.End{Account: name, Stamp: 4, Why: "ban"}, 5),
		"account end":  AppendAccountEnd(nil, &worlds.AccountEnd{Account: name, Why: "ban"}),
		"change":       EncodeChange(&worlds.Change{Entry: &e}),
		"snapshot":     EncodeSnapshot(&worlds.Snapshot{Entries: []worlds.Entry{e}}),
		"pulse":        EncodePulse(worlds.Pulse{Version: worlds.Version{Epoch: 1, Seq: 2}}),
		"registration": EncodeJSON(registrationToWire(&e.Registration)),
		"beat":         EncodeBeat(&worlds.Beat{Incarnation: 1, Population: 2, Queue: 3, Load: 0.5, Leaving: true}),
		"login":        EncodeLoginBeat(&worlds.LoginBeat{Incarnation: 5, Address: "192.0.2.1:3724", Conns: 1, MaxConns: 2, Draining: true, Native: "login.example:3725"}),
		"order":        EncodeOrder(&worlds.Order{Notice: "<5 minutes>"}),
		"progress":     AppendProgress(nil, []worlds.Progress{{Pass: worlds.PassID{1, 15: 2}, Position: 1<<32 - 1}, {Ended: `a "ban"`}, {}}),
		"logins":       EncodeLogins([]worlds.LoginBeat{{Node: "login.eu1", Address: "[2001:db8::1]:3724"}}),
		"characters":   AppendCharacters(nil, []worlds.CharacterCount{{Account: name, Count: 9}}),
		"announce":     AppendAnnounce(nil, 5, []worlds.Announcement{{Account: name, Stamp: 6, Hop: 7, Kind: worlds.AnnounceMoved}}),
	}
	for i, m := range sampleMoves() {
		b, err := AppendMove(nil, &m)
		if err != nil {
			tb.Fatal(err)
		}
		all["move "+string(rune('0'+i))] = b
	}
	return all
}

func TestWire_SamplesRoundTrip(t *testing.T) {
	t.Parallel()
	recoders := recoders()
	for what, b := range samples(t) {
		kind := what
		if strings.HasPrefix(what, "move ") {
			kind = "move"
		}
		if got := recoders[kind](b); !bytes.Equal(got, b) {
			t.Errorf("%s: %s became %s", what, b, got)
		}
	}
}

// FuzzDecode holds every decoder to this: it does not panic, and what it takes
// is encoded to something that it takes for the same.
func FuzzDecode(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	all := recoders()
	f.Fuzz(func(t *testing.T, b []byte) {
		for what, recode := range all {
			once := recode(b)
			if once == nil {
				continue
			}
			if twice := recode(once); !bytes.Equal(once, twice) {
				t.Errorf("%s: %s became %s and then %s", what, b, once, twice)
			}
		}
	})
}

func TestWire_Hex64OrdersAsNumbers(t *testing.T) {
	t.Parallel()
	last := ""
	for _, v := range []uint64{0, 1, 9, 10, 255, 1 << 32, 1<<64 - 1} {
		text := string(appendHex64(nil, v))
		if text <= last {
			t.Errorf("%s is not behind %s", text, last)
		}
		if got, ok := parseHex64([]byte(text)); !ok || got != v {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
		last = text
	}
	if _, err := hex.DecodeString(last); err != nil {
		t.Error(err)
	}
}

func TestSubjects_NameTheirSender(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]worlds.Node{
		MoveSubject("world.7", "login.eu1"):     "login.eu1",
		ProgressSubject("login.eu1", "world.7"): "world.7",
		PrefixAnnounce + "world.255":            "world.255",
		PrefixMove + "world.7.world.0":          "",
		PrefixMove + "world.7.wizard.1":         "",
		"7":                                     "",
		"gatepass.login.7":                      "login.7",
		PrefixMove + "world.7.login.UPPER":      "",
	} {
		if got, ok := SenderOf(subject); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s, %v", subject, got, ok)
		}
	}
	if id, ok := WorldOf("gatepass.world.07.beat", SuffixBeat); ok {
		t.Errorf("world 07 is %d", id)
	}
	if id, ok := WorldOf(WorldSubject(200, SuffixBeat), SuffixBeat); !ok || id != 200 {
		t.Errorf("world %d, %v", id, ok)
	}
}
