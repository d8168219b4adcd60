package codec

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestNameOf(t *testing.T) {
	longest := strings.Repeat("N", MaxName)
	cases := []struct {
		text string
		ok   bool
	}{
		{"", false}, {"A", true}, {"a b:é", true}, {longest, true}, {longest + "N", false},
		{"\x00", false}, {"A\x00", false}, {"A\x00B", false},
	}
	for _, c := range cases {
		n, ok := NameOf(c.text)
		if ok != c.ok {
			t.Errorf("%q: %v", c.text, ok)
		}
		if want := map[bool]string{true: c.text}[c.ok]; n.String() != want || n.Len() != len(want) || string(n.Bytes()) != want {
			t.Errorf("%q became %q of %d bytes", c.text, n, n.Len())
		}
		if m, ok := NameOf([]byte(c.text)); ok != c.ok || m != n {
			t.Errorf("%q as bytes: %q, %v", c.text, m, ok)
		}
	}
}

func TestTag_String(t *testing.T) {
	for want, tag := range map[string]Tag{"": {}, "x86": {'x', '8', '6'}, "enUS": {'e', 'n', 'U', 'S'}} {
		if tag.String() != want {
			t.Errorf("%q, want %q", tag, want)
		}
	}
}

// Every constant of an enum has its own name, and any other value shows its number.
func TestEnums_String(t *testing.T) {
	enums := map[string]func() (values []fmt.Stringer, beyond fmt.Stringer){
		"kind": func() (v []fmt.Stringer, _ fmt.Stringer) {
			for k := range KindCount {
				v = append(v, k)
			}
			return v, KindCount
		},
		"reason": func() (v []fmt.Stringer, _ fmt.Stringer) {
			for r := range CloseReasonCount {
				v = append(v, r)
			}
			return v, CloseReasonCount
		},
		"result": func() (v []fmt.Stringer, _ fmt.Stringer) {
			for r := range ResultCount {
				v = append(v, r)
			}
			return v, ResultCount
		},
		"reply": func() (v []fmt.Stringer, _ fmt.Stringer) {
			for k := range ReplyKindCount {
				v = append(v, k)
			}
			return v, ReplyKindCount
		},
		"transfer-end": func() (v []fmt.Stringer, _ fmt.Stringer) {
			for e := range TransferEndCount {
				v = append(v, e)
			}
			return v, TransferEndCount
		},
	}
	for name, list := range enums {
		values, beyond := list()
		seen := map[string]bool{}
		for i, v := range values {
			if s := v.String(); s == "" || seen[s] {
				t.Errorf("%s %d: %q", name, i, s)
			} else {
				seen[s] = true
			}
		}
		if want := fmt.Sprintf("%s(%d)", name, len(values)); beyond.String() != want {
			t.Errorf("%q, want %q", beyond, want)
		}
	}
}

// Queues copy messages and replies between goroutines, so nothing in them may point into a
// buffer that is reused.
func TestMessageAndReply_ArePlainValues(t *testing.T) {
	for _, v := range []any{Message{}, Reply{}} {
		mustBePlain(t, reflect.TypeOf(v), reflect.TypeOf(v).Name())
	}
	if size := reflect.TypeFor[Message]().Size(); size > 320 {
		t.Errorf("a message has %d bytes", size)
	}
}

func mustBePlain(t *testing.T, typ reflect.Type, path string) {
	t.Helper()
	switch typ {
	case reflect.TypeFor[*WorldMessage](), reflect.TypeFor[*WorldReply](), reflect.TypeFor[*NativeMessage](), reflect.TypeFor[*NativeReply]():
		return // allocated per message, so that messages of the login path stay small
	}
	switch typ.Kind() {
	case reflect.Struct:
		// netip.Addr holds an interned pointer that no buffer backs.
		if typ.PkgPath() == "net/netip" {
			return
		}
		for i := range typ.NumField() {
			mustBePlain(t, typ.Field(i).Type, path+"."+typ.Field(i).Name)
		}
	case reflect.Array:
		mustBePlain(t, typ.Elem(), path+"[]")
	case reflect.Slice, reflect.String, reflect.Pointer, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func:
		t.Errorf("%s is a %v", path, typ.Kind())
	}
}
