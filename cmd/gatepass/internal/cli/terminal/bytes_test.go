package terminal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestBytesBar_PlainLinesTellBytesAndRate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	bar, err := NewByteBar(&out, ByteOptions{Label: "hash", Paths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	bar.To(1024)
	if out.Len() > 0 {
		t.Fatalf("a line at once: %q", out.String())
	}
	bar.Next(1024)
	bar.last = time.Now().Add(-plainEvery)
	bar.To(1024)
	if got := out.String(); !strings.HasPrefix(got, "hash: 2 KiB, ") || !strings.Contains(got, "/s, 50 %") {
		t.Errorf("the line is %q", got)
	}
	if _, err := NewByteBar(&out, ByteOptions{Paths: []string{path + "x"}}); err == nil {
		t.Error("a file that is not there was taken")
	}
}

func TestSizeText(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 B", 1023: "1023 B", 1024: "1 KiB", 1536: "1.5 KiB", 1 << 20: "1 MiB", 1023 << 10: "1.0 MiB",
		1<<30 + 1<<29: "1.5 GiB", 256 << 30: "256 GiB", 1 << 50: "1024 TiB",
	} {
		if got := SizeText(n); got != want {
			t.Errorf("%d bytes: %q, want %q", n, got, want)
		}
	}
}
