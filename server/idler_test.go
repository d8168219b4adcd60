package server

import (
	"os"
	"sync/atomic"
	"testing"
	"time"
)

func TestServer_Idle_KeepsServingWithAnIdler(t *testing.T) {
	if !canNap {
		t.Skip("only Linux has an idler")
	}
	var asked atomic.Uint64
	r := newRig(t, func(o *Options) {
		o.Idle = func() bool { return asked.Add(1)%3 != 0 } // work is in progress now and then
	})
	for range 20 {
		r.works()
	}
	r.onReactor(0, func(re *reactor) {
		if re.idler == nil {
			t.Error("gnet's epoll was not found: has its field moved?")
		}
	})
	eventually(t, "the idler naps and goes to sleep again", func() bool { return !r.reactors[0].idler.awake.Load() })
	if asked.Load() == 0 {
		t.Error("the idler never looked whether anything is under way")
	}
	r.works()
}

func TestServer_Idle_CloseEndsTheIdlerWithClientsThere(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Idle = func() bool { return true } })
	client, _ := r.open()
	write(t, client, frame("awake"))
	if err := r.Close(); err != nil { // goleak detects an idler that is left
		t.Fatal(err)
	}
	gone(t, client)
}

func TestNapUntilReadable_TellsWhetherThereIsSomething(t *testing.T) {
	if !canNap {
		t.Skip("only Linux has an idler")
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	fd := int(in.Fd())
	if napUntilReadable(fd, -1, time.Millisecond) {
		t.Error("an empty pipe was readable")
	}
	if _, err := out.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if !napUntilReadable(fd, -1, time.Minute) {
		t.Error("a pipe with a byte in it was not readable")
	}
}
