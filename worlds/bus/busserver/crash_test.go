package busserver_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// crashEnv makes the test binary the server that is killed; it holds the folder
// and the manager's credentials.
const crashEnv = "GATEPASS_TEST_BUS_CRASH"

// What a manager was told is stored is there after kill -9, also at once.
func TestServer_AcknowledgedPutsSurviveAKill(t *testing.T) {
	t.Parallel()
	if at := os.Getenv(crashEnv); at != "" {
		dir, creds, _ := strings.Cut(at, "\n")
		putForEver(t, dir, creds)
	}
	a := bustest.MustAuthority(t)
	creds := bustest.MustCreds(t, a, "manager.a")
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), crashEnv+"="+a.Dir()+"\n"+creds)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	giveUp := time.AfterFunc(bustest.Patience, func() { _ = cmd.Process.Kill() })
	defer giveUp.Stop()
	told := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			told = n
		}
		if told == 50 {
			_ = cmd.Process.Kill() // and read on: what was told until it died counts
		}
	}
	if err := cmd.Wait(); err == nil || told < 50 {
		t.Fatalf("it ended by itself after %d: %v", told, err)
	}
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Patience)
	defer cancel()
	e, err := bustest.MustBucket(t, bustest.MustJoin(t, s, creds), wire.BucketWorlds).Get(ctx, "count")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := strconv.Atoi(string(e.Value())); n < told {
		t.Errorf("%d was acknowledged, %d is there", told, n)
	}
}

// putForEver runs in the process that is killed.
func putForEver(t *testing.T, dir, creds string) {
	s := bustest.MustServer(t, busserver.Options{Dir: dir})
	var kv jetstream.KeyValue = bustest.MustBucket(t, bustest.MustJoin(t, s, creds), wire.BucketWorlds)
	for n := 1; ; n++ {
		if _, err := kv.Put(context.Background(), "count", []byte(strconv.Itoa(n))); err != nil {
			t.Fatal(err)
		}
		fmt.Println(n)
	}
}
