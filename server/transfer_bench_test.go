package server

import (
	"bytes"
	"crypto/cipher"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/sys/unix"

	"gatepass/codec"
)

// plainFile is frames whose sessions carry files, with a frame head of three bytes.
type plainFile struct{ frames }

func (*plainFile) FileFrame() codec.FileFrame { return codec.FileFrame{Head: 3, Data: 4096} }

func (*plainFile) FrameFile(frame []byte, _ uint64, n int) int {
	frame[0], frame[1], frame[2] = 'F', byte(n), byte(n>>8)
	return 3 + n
}

func (*plainFile) UnframeFile(int) {}

// sealedFile seals its frames.
type sealedFile struct {
	frames
	aead  cipher.AEAD
	nonce [12]byte
	sent  uint64
}

func newSealedFile() Session {
	aead, err := chacha20poly1305.New(make([]byte, 32))
	if err != nil {
		panic(err)
	}
	return &sealedFile{aead: aead}
}

func (*sealedFile) FileFrame() codec.FileFrame {
	return codec.FileFrame{Head: 3, Data: 16 << 10, Tail: 16}
}

func (s *sealedFile) FrameFile(frame []byte, _ uint64, n int) int {
	s.sent++
	for i := range 8 {
		s.nonce[i] = byte(s.sent >> (8 * i))
	}
	data := frame[3 : 3+n]
	return 3 + len(s.aead.Seal(data[:0], s.nonce[:], data, nil))
}

func (s *sealedFile) UnframeFile(n int) { s.sent -= uint64(n) }

// fileSource is a file in the page cache.
type fileSource struct{ f *os.File }

func (s fileSource) ReadVector(pieces [][]byte, offset int64) error {
	n, err := unix.Preadv(int(s.f.Fd()), pieces, offset)
	want := 0
	for _, p := range pieces {
		want += len(p)
	}
	if err == nil && n != want {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// BenchmarkTransfer sends files over loopback to another process, which discards them.
// GB/cpu-s is what one processor of the server would send in a second.
func BenchmarkTransfer(b *testing.B) {
	plain := func() Session { return &plainFile{} }
	for name, speak := range map[string]Protocol{"plain": plain, "sealed": newSealedFile} {
		for _, clients := range []int{1, 64} {
			b.Run(fmt.Sprintf("framer=%s/clients=%d", name, clients), func(b *testing.B) {
				benchmarkTransfer(b, speak, clients)
			})
		}
	}
}

func benchmarkTransfer(b *testing.B, speak Protocol, clients int) {
	const size = 32 << 20
	f, err := os.Create(b.TempDir() + "/file")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(bytes.Repeat([]byte("patch me"), size/8)); err != nil {
		b.Fatal(err)
	}
	in := &inbox{room: -1}
	s, err := New(Options{
		Listeners: []Listener{{Addr: "127.0.0.1:0", Protocol: speak}}, Reactors: 1,
		Logger: slog.New(slog.DiscardHandler), Sink: func(int) Sink { return in },
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.Start(); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childRole+"="+drainRole, fmt.Sprintf("DRAIN=%s", s.Addr()), fmt.Sprintf("CLIENTS=%d", clients))
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	eventually(b, "all are there", func() bool { return len(in.of(codec.KindOpened, 0)) == clients })
	opened := in.of(codec.KindOpened, 0)
	ended := 0
	began, cpu := time.Now(), cpuTime()
	for b.Loop() {
		for i := range opened {
			s.Queue().StartTransfer(opened[i].Conn, &codec.Transfer{Source: fileSource{f}, Size: size})
		}
		s.Queue().Flush()
		ended += clients
		for len(in.of(codec.KindTransferEnded, 0)) < ended {
			time.Sleep(time.Millisecond)
		}
	}
	wall, used := time.Since(began), cpuTime()-cpu
	sent := float64(s.Stats().TransferBytes) / 1e9
	st := s.Stats()
	b.ReportMetric(sent/used.Seconds(), "GB/cpu-s")
	b.ReportMetric(sent/wall.Seconds(), "GB/s")
	b.ReportMetric(float64(st.TransferBytes)/float64(st.TransferTurns)/1024, "KiB/turn")
	b.ReportMetric(float64(st.TransferReadAgain)/float64(st.TransferBytes), "again/byte")
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// drainRole makes the test binary run clients that read.
const drainRole = "drain"

// runDrain reads from many connections and discards the bytes.
func runDrain() int {
	var n int
	_, _ = fmt.Sscan(os.Getenv("CLIENTS"), &n)
	done := make(chan struct{})
	for range n {
		c, err := net.Dial("tcp", os.Getenv("DRAIN"))
		if err != nil {
			return 1
		}
		go func() {
			raw, _ := c.(*net.TCPConn).SyscallConn()
			buf := make([]byte, 1<<20)
			_ = raw.Read(func(fd uintptr) bool {
				for {
					n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_TRUNC|unix.MSG_DONTWAIT)
					if err == unix.EAGAIN {
						return false
					}
					if n <= 0 || err != nil {
						return true
					}
				}
			})
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
	return 0
}
