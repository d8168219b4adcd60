package codec

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestWorldReply_ShowsNoKey(t *testing.T) {
	r := WorldReply{Code: 0x1b, Position: 37, KeySet: true}
	for i := range r.Key {
		r.Key[i] = 0xa7
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", r, "pointer", &r, "reply", &Reply{World: &r})
	texts := []string{
		log.String(), r.String(), fmt.Sprint(r), fmt.Sprint(&r), fmt.Sprintf("%+v %#v %s", r, r, &r),
		fmt.Sprintf("%v %+v %#v", Reply{World: &r}, Reply{World: &r}, Reply{World: &r}),
	}
	for _, text := range texts {
		// 167 is a7 in decimal, p6en is what base64 makes of it.
		for _, secret := range []string{"a7a7", "a7, 0xa7", "167 167", "167,167", "p6en"} {
			if strings.Contains(strings.ToLower(text), secret) {
				t.Errorf("a key in %q", text)
			}
		}
	}
	if text := r.String(); !strings.Contains(text, "0x1b") || !strings.Contains(text, "37") {
		t.Errorf("%q", text)
	}
}
