package wire

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gatepass/worlds"
)

// protocolPages returns the two pages that describe the protocol.
func protocolPages(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, page := range []string{"bus-protocol.md", "bus-keys.md"} {
		doc, err := os.ReadFile("../../../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(doc)
	}
	return all.String()
}

// examples returns the JSON blocks of the two pages, by the heading above them.
func examples(t *testing.T) map[string][]string {
	t.Helper()
	doc := protocolPages(t)
	all := make(map[string][]string)
	heading := ""
	for _, m := range regexp.MustCompile("(?ms)^### `([^`]+)`$|^```json\n(.*?)^```$").FindAllStringSubmatch(doc, -1) {
		if m[1] != "" {
			heading = m[1]
			all[heading] = nil
		} else {
			all[heading] = append(all[heading], m[2])
		}
	}
	return all
}

// TestDocs_ExamplesAreUnderstood decodes each example with the decoder of its
// subject.
func TestDocs_ExamplesAreUnderstood(t *testing.T) {
	t.Parallel()
	understood := func(b []byte) error { _, err := DecodeRegisterReply(b); return err }
	decoders := map[string][]func(b []byte) error{
		"gatepass.world.N.register": {
			func(b []byte) error {
				r, err := DecodeRegistration(7, b)
				if err == nil {
					err = r.Validate()
				}
				return err
			}, understood, understood, understood,
		},
		"gatepass.world.N.beat": {
			func(b []byte) error { _, err := DecodeBeat(b); return err },
			func(b []byte) error { _, err := DecodeBeatReply(b); return err },
		},
		"gatepass.world.N.characters": {func(b []byte) error { _, err := DecodeCharacters(7, b); return err }},
		"gatepass.login.L.beat":       {func(b []byte) error { _, err := DecodeLoginBeat("login.a", b); return err }},
		"gatepass.order.login": {
			func(b []byte) error { _, err := DecodeOrder(b); return err },
			func(b []byte) error { _, err := DecodeOrder(b); return err },
		},
		"gatepass.progress.login.L.world.N": {func(b []byte) error { _, err := DecodeProgress(b); return err }},
		"gatepass.worlds.change":            {exampleChange, exampleChange},
		"gatepass.worlds.pulse":             {func(b []byte) error { _, err := DecodePulse(b); return err }},
		"gatepass.worlds.snapshot":          {func(b []byte) error { _, err := DecodeSnapshot(b); return err }},
		"gatepass.move.<to kind>.<to name>.<from kind>.<from name>": {
			exampleMove(worlds.MoveClaim), exampleMove(worlds.MoveClaim), exampleMove(worlds.MoveOffer), exampleMove(worlds.MoveAccept),
			exampleMove(worlds.MoveCommit), exampleMove(worlds.MoveLive), exampleMove(worlds.MoveRefuse),
		},
		"gatepass.directory.announce.<kind>.<name>": {exampleAnnounce, exampleAnnounce},
		"gatepass.directory.locate.<kind>.<name>":   {func(b []byte) error { _, err := DecodeLocate(b); return err }},
		"gatepass.directory.end.login.L":            {func(b []byte) error { _, err := DecodeAccountEnd(b); return err }},
		"gatepass.place.<kind>.<name>":              {func(b []byte) error { _, _, err := DecodePlace(b); return err }},
		"gatepass.end.<kind>.<name>":                {func(b []byte) error { _, _, err := DecodeEnd(b); return err }},
		"gatepass.admin.reset":                      {understood},
		"gatepass.admin.logins":                     {func(b []byte) error { _, err := DecodeLogins(b); return err }},
	}
	found := examples(t)
	for subject, decode := range decoders {
		if len(found[subject]) != len(decode) {
			t.Errorf("%s: %d examples, not %d", subject, len(found[subject]), len(decode))
			continue
		}
		for i, b := range found[subject] {
			if err := decode[i]([]byte(b)); err != nil {
				t.Errorf("%s: %s: %v", subject, b, err)
			}
		}
	}
	if len(found) != len(decoders) {
		t.Errorf("%d subjects have examples, not %d", len(found), len(decoders))
	}
}

func exampleAnnounce(b []byte) error {
	_, _, err := DecodeAnnounce(b, nil)
	return err
}

func exampleChange(b []byte) error {
	c, err := DecodeChange(b)
	if err == nil && c.Entry != nil {
		err = c.Entry.Validate()
	}
	return err
}

func exampleMove(kind worlds.MoveKind) func(b []byte) error {
	return func(b []byte) error {
		m, err := DecodeMove(b)
		if err == nil && m.Kind != kind {
			err = errPayload
		}
		return err
	}
}

// TestDocs_SubjectsAreThose checks that the table has every subject of the code.
func TestDocs_SubjectsAreThose(t *testing.T) {
	t.Parallel()
	doc := protocolPages(t)
	for _, subject := range []string{
		PrefixWorld + "N" + SuffixRegister, PrefixWorld + "N" + SuffixBeat, PrefixWorld + "N" + SuffixCharacters,
		PrefixLogin + "L" + SuffixBeat, SubjectChange, SubjectPulse, SubjectSnapshot, SubjectReset, SubjectLogins,
		PrefixMove + "<to kind>.<to name>.<from kind>.<from name>", PrefixAnnounce + "<kind>.<name>",
		PrefixProgress + "login.L.world.N", SubjectOrder,
		PrefixLocate + "<kind>.<name>", PrefixEndAsked + "login.L", PrefixPlace + "<kind>.<name>", PrefixEnd + "<kind>.<name>",
	} {
		if !strings.Contains(doc, "| `"+subject+"`") && !strings.Contains(doc, ", `"+subject+"` |") {
			t.Errorf("docs/bus-protocol.md does not show %s", subject)
		}
	}
	for reason := worlds.ReasonUnknown; reason < worlds.ReasonCount; reason++ {
		if !strings.Contains(doc, "`"+reason.String()+"`") {
			t.Errorf("docs/bus-keys.md does not say what %s means", reason)
		}
	}
}
