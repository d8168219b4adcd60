package bus

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"gatepass/worlds"
)

// examples are the JSON blocks of docs/bus.md by the heading they stand under.
func examples(t *testing.T) map[string][]string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/bus.md")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	heading := ""
	for _, m := range regexp.MustCompile("(?ms)^### `([^`]+)`$|^```json\n(.*?)^```$").FindAllStringSubmatch(string(doc), -1) {
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
	registerReply := func(b []byte) error { _, err := decodeRegisterReply(b); return err }
	decoders := map[string][]func(b []byte) error{
		"gatepass.world.N.register": {
			func(b []byte) error {
				r, err := decodeRegistration(7, b)
				if err == nil {
					err = r.Validate()
				}
				return err
			}, registerReply, registerReply, registerReply,
		},
		"gatepass.world.N.beat": {
			func(b []byte) error { _, err := decodeBeat(b); return err },
			func(b []byte) error { _, err := decodeBeatReply(b); return err },
		},
		"gatepass.world.N.characters": {func(b []byte) error { _, err := decodeCharacters(7, b); return err }},
		"gatepass.login.L.beat":       {func(b []byte) error { _, err := decodeLoginBeat("login.a", b); return err }},
		"gatepass.order.login": {
			func(b []byte) error { _, err := decodeOrder(b); return err },
			func(b []byte) error { _, err := decodeOrder(b); return err },
		},
		"gatepass.progress.login.L.world.N": {func(b []byte) error { _, err := decodeProgress(b); return err }},
		"gatepass.worlds.change":            {exampleChange, exampleChange},
		"gatepass.worlds.pulse":             {func(b []byte) error { _, err := decodePulse(b); return err }},
		"gatepass.worlds.snapshot":          {func(b []byte) error { _, err := decodeSnapshot(b); return err }},
		"gatepass.move.<to kind>.<to name>.<from kind>.<from name>": {
			exampleMove(worlds.MoveClaim), exampleMove(worlds.MoveClaim), exampleMove(worlds.MoveOffer), exampleMove(worlds.MoveAccept),
			exampleMove(worlds.MoveCommit), exampleMove(worlds.MoveLive), exampleMove(worlds.MoveRefuse),
		},
		"gatepass.directory.announce.<kind>.<name>": {exampleAnnounce, exampleAnnounce},
		"gatepass.directory.locate.<kind>.<name>":   {func(b []byte) error { _, err := decodeLocate(b); return err }},
		"gatepass.directory.end.login.L":            {func(b []byte) error { _, err := decodeAccountEnd(b); return err }},
		"gatepass.place.<kind>.<name>":              {func(b []byte) error { _, _, err := decodePlace(b); return err }},
		"gatepass.end.<kind>.<name>":                {func(b []byte) error { _, _, err := decodeEnd(b); return err }},
		"gatepass.admin.reset":                      {registerReply},
		"gatepass.admin.logins":                     {func(b []byte) error { _, err := decodeLogins(b); return err }},
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
	_, _, err := decodeAnnounce(b, nil)
	return err
}

func exampleChange(b []byte) error {
	c, err := decodeChange(b)
	if err == nil && c.Entry != nil {
		err = c.Entry.Validate()
	}
	return err
}

func exampleMove(kind worlds.MoveKind) func(b []byte) error {
	return func(b []byte) error {
		m, err := decodeMove(b)
		if err == nil && m.Kind != kind {
			err = errPayload
		}
		return err
	}
}

// TestDocs_SubjectsAreThose: every subject of the code stands in the table.
func TestDocs_SubjectsAreThose(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/bus.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{
		prefixWorld + "N" + suffixRegister, prefixWorld + "N" + suffixBeat, prefixWorld + "N" + suffixCharacters,
		prefixLogin + "L" + suffixBeat, subjectChange, subjectPulse, subjectSnapshot, subjectReset, subjectLogins,
		prefixMove + "<to kind>.<to name>.<from kind>.<from name>", prefixAnnounce + "<kind>.<name>",
		prefixProgress + "login.L.world.N", subjectOrder,
		prefixLocate + "<kind>.<name>", prefixEndAsked + "login.L", prefixPlace + "<kind>.<name>", prefixEnd + "<kind>.<name>",
	} {
		if !strings.Contains(string(doc), "| `"+subject+"`") && !strings.Contains(string(doc), ", `"+subject+"` |") {
			t.Errorf("docs/bus.md does not show %s", subject)
		}
	}
	for reason := worlds.ReasonUnknown; reason < worlds.ReasonCount; reason++ {
		if !strings.Contains(string(doc), "`"+reason.String()+"`") {
			t.Errorf("docs/bus.md does not say what %s means", reason)
		}
	}
}
