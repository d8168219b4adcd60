package patches

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gatepass/codec"
)

// fullCatalogue returns a catalogue with one entry of every kind.
func fullCatalogue(t testing.TB) Catalogue {
	t.Helper()
	var c Catalogue
	everywhere := Scope{codec.ProtocolNative, "Win-x64", "enUS"}
	taken := madeUp(Patch{Scope: everywhere, From: 5, To: 6}, 3*minChunk)
	taken.Path, taken.Taken = "0123456789abcdef-patch <&>.mpq", true
	for _, err := range []error{
		c.Add(madeUp(grunt(5875, 6005), 1000)), c.Add(taken),
		c.Mark(Mark{Scope{}, 6005, StatusCurrent}), c.Mark(Mark{everywhere, 5, StatusUpdate}),
		c.SetKnown(Known{5875, "Win-x86", [20]byte{1, 2, 3}}), c.SetKnown(Known{5875, "", [20]byte{4}}),
	} {
		must(t, err)
	}
	return c
}

func TestCatalogue_IsReadAsWritten(t *testing.T) {
	c := fullCatalogue(t)
	b, err := c.encode()
	must(t, err)
	got, err := decode(b)
	must(t, err)
	if !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v\nwant %+v", got, c)
	}
	again, err := got.encode()
	must(t, err)
	if string(again) != string(b) {
		t.Error("the bytes are others the second time")
	}
	for _, words := range []string{`"format": 1`, `"protocol": "grunt"`, `"status": "current"`, `"hmac": "0102030000`, `patch <&>.mpq`, `"modified": "2023-11-14T22:13:20.123456789Z"`} {
		if !strings.Contains(string(b), words) {
			t.Errorf("it does not say %s", words)
		}
	}
}

func TestDecode_Refuses(t *testing.T) {
	full := fullCatalogue(t)
	b, err := full.encode()
	must(t, err)
	good := string(b)
	for name, c := range map[string]struct{ old, new, words string }{
		"newer":          {`"format": 1`, `"format": 2`, "newer than the 1 of this gatepass"},
		"no format":      {`"format": 1`, `"format": 0`, "format is 0"},
		"unknown field":  {`"marks"`, `"mark"`, `unknown field "mark"`},
		"unknown inside": {`"chunk-size"`, `"chunksize"`, `unknown field`},
		"no JSON":        {`"marks": [`, `"marks": {`, "invalid character"},
		"behind":         {"]\n}\n", "]\n}\n{}", "after top-level value"},
		"build":          {`"build": 6005`, `"build": 65536`, "65536"},
		"no build":       {`"build": 6005`, `"build": 0`, "0 is no build"},
		"status":         {`"current"`, `"old"`, `"old" is no status`},
		"protocol":       {`"protocol": "grunt"`, `"protocol": "world"`, `"world" is no protocol`},
		"platform":       {`"Win-x64"`, `"../../x"`, `platform "../../x"`},
		"known platform": {`"Win-x86"`, `"W"`, `platform "W"`},
		"locale":         {`"enUS"`, `"english"`, `locale "english"`},
		"hex":            {`"hmac": "01`, `"hmac": "0x`, "invalid byte"},
		"short hash":     {`"md5": "`, `"md5": "00`, "has 17 bytes, not 16"},
		"id":             {`"grunt-5875-6005"`, `"grunt-5875-6006"`, "its name must be grunt-5875-6005"},
		"relative path":  {`"path": "/srv`, `"path": "srv`, "does not begin at the root"},
		"taken path":     {`"path": "0123456789abcdef-`, `"path": "../`, "is no name of a file that was taken"},
		"taken other":    {`"path": "0123456789abcdef-patch <&>.mpq"`, `"path": "catalogue.json"`, "is no name of a file that was taken"},
		"name":           {`"name": "grunt`, `"name": "a/grunt`, "is not good"},
		"long name":      {`"name": "grunt`, `"name": "` + strings.Repeat("a", 60), "1 to 64 bytes"},
		"no size":        {`"size": 1000`, `"size": 0`, "a size is 1 to"},
		"size":           {`"size": 1000`, `"size": 274877906945`, "a size is 1 to"},
		"chunks":         {`"size": 1000`, `"size": 262145`, "not those of 2 chunks"},
		"too many":       {`"size": 1000`, `"size": 274877906944`, "more than 256 chunks"},
		"chunk size":     {`"chunk-size": 262144`, `"chunk-size": 262143`, "a power of two"},
		"small chunks":   {`"chunk-size": 262144`, `"chunk-size": 1024`, "a power of two"},
		"odd chunks":     {`"chunk-size": 262144`, `"chunk-size": 262145`, "a power of two"},
		"large chunks":   {`"chunk-size": 262144`, `"chunk-size": 2147483648`, "a power of two"},
		"time":           {`2023-11-14T`, `yesterday`, "parsing time"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(good, c.old, c.new, 1)
			if bad == good {
				t.Fatal("nothing was changed")
			}
			_, err := decode([]byte(bad))
			mustMean(t, err, c.words)
		})
	}
}

func TestDecode_RefusesWhatIsDouble(t *testing.T) {
	c := fullCatalogue(t)
	c.Marks = append(c.Marks, c.Marks[0])
	c.Patches = append(c.Patches, c.Patches[0])
	b, err := c.encode()
	must(t, err)
	_, err = decode(b)
	mustMean(t, err, "is marked twice")
	c.Marks = nil
	b, err = c.encode()
	must(t, err)
	_, err = decode(b)
	mustMean(t, err, "is there twice")
}

func TestCatalogue_Removes(t *testing.T) {
	c := fullCatalogue(t)
	p, err := c.Remove("grunt-5875-6005")
	if err != nil || p.From != 5875 || c.Find("grunt-5875-6005") != nil || len(c.Patches) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	must(t, c.Unmark(Mark{Build: 6005}))
	must(t, c.RemoveKnown(5875, "Win-x86"))
	if len(c.Marks) != 1 || len(c.Known) != 1 {
		t.Errorf("%+v", c)
	}
	_, err = c.Remove("grunt-5875-6005")
	for _, err := range []error{err, c.Unmark(Mark{Build: 6005}), c.RemoveKnown(5875, "Win-x86")} {
		if !errors.Is(err, ErrNotThere) {
			t.Error(err)
		}
	}
}

func TestCatalogue_HasLimits(t *testing.T) {
	var c Catalogue
	for build := range uint16(maxMarks) {
		must(t, c.Mark(Mark{Build: build + 1, Status: StatusCurrent}))
	}
	mustMean(t, c.Mark(Mark{Build: maxMarks + 1, Status: StatusCurrent}), "at most 512 marks")
	c = Catalogue{}
	for build := range uint16(maxPatches) {
		must(t, c.Add(madeUp(grunt(build+1, build+2), 1)))
	}
	mustMean(t, c.Add(madeUp(grunt(999, 1), 1)), "at most 256 patches")
	c = Catalogue{}
	for i := range maxPlatforms {
		must(t, c.SetKnown(Known{Build: 1, Platform: "Win-" + string(rune('a'+i))}))
	}
	mustMean(t, c.SetKnown(Known{Build: 1, Platform: "Mac-z"}), "at most 8 platforms")
}

func FuzzDecode(f *testing.F) {
	c := fullCatalogue(f)
	b, err := c.encode()
	must(f, err)
	f.Add(b)
	f.Add([]byte(`{"format":1,"marks":[],"patches":[],"known":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := decode(b)
		if err != nil {
			return
		}
		b, err = c.encode()
		must(t, err)
		d, err := decode(b)
		must(t, err)
		again, err := d.encode()
		must(t, err)
		if string(again) != string(b) {
			t.Errorf("%s\nbecomes\n%s", b, again)
		}
	})
}

// After any edits, a catalogue can be written and read again.
func TestCatalogue_EditsStayReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c Catalogue
		scope := func() Scope {
			return Scope{
				codec.Protocol(rapid.IntRange(0, 2).Draw(t, "protocol")),
				rapid.SampledFrom([]string{"", "Win-x86", "Win", "OSX-PPC"}).Draw(t, "platform"),
				rapid.SampledFrom([]string{"", "enUS", "deDE", "x/y"}).Draw(t, "locale"),
			}
		}
		build := rapid.Uint16Range(0, 3)
		for range rapid.IntRange(1, 20).Draw(t, "edits") {
			s := scope()
			switch rapid.IntRange(0, 5).Draw(t, "edit") {
			case 0:
				_ = c.Add(madeUp(Patch{Scope: s, From: build.Draw(t, "from"), To: build.Draw(t, "to")}, 1))
			case 1:
				_ = c.Mark(Mark{s, build.Draw(t, "build"), Status(rapid.IntRange(0, 5).Draw(t, "status"))})
			case 2:
				_ = c.Unmark(Mark{Scope: s, Build: build.Draw(t, "build")})
			case 3:
				p := Patch{Scope: s, From: build.Draw(t, "from"), To: build.Draw(t, "to")}
				_, _ = c.Remove(p.MakeID())
			case 4:
				_ = c.SetKnown(Known{build.Draw(t, "build"), s.Platform, [20]byte{rapid.Byte().Draw(t, "hmac")}})
			case 5:
				_ = c.RemoveKnown(build.Draw(t, "build"), s.Platform)
			}
		}
		b, err := c.encode()
		if err == nil {
			_, err = decode(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}
