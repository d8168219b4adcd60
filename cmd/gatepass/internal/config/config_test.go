package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/logic"
)

// mayLoad reads a configuration from a file's text, variables and flags.
func mayLoad(t *testing.T, file string, env map[string]string, args ...string) (*Config, error) {
	t.Helper()
	for k, v := range env {
		t.Setenv(k, v)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	CommonFlags(flags)
	EdgeFlags(flags)
	BusListenFlag(flags)
	if file != "" {
		path := filepath.Join(t.TempDir(), "gatepass.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(flags, map[string]any{"node": "dev"})
}

func TestLoad_FlagsBeatEnvironmentBeatsFileBeatsDefaults(t *testing.T) {
	c, err := mayLoad(t, "data = 'from-file'\ngrunt = '127.0.0.1:1'\nadmin = '127.0.0.1:2'\n[log]\nlevel = 'warn'",
		map[string]string{"GATEPASS_GRUNT": "127.0.0.1:3", "GATEPASS_ADMIN": "127.0.0.1:4", "GATEPASS_SESSIONS__PROVING_LIMIT": "7s"},
		"--admin", "127.0.0.1:5")
	if err != nil {
		t.Fatal(err)
	}
	if c.Data != "from-file" || c.Grunt != "127.0.0.1:3" || c.Admin != "127.0.0.1:5" || c.Log.Level != "warn" {
		t.Errorf("data %q, grunt %q, admin %q, level %q", c.Data, c.Grunt, c.Admin, c.Log.Level)
	}
	if c.Sessions.ProvingLimit != 7*time.Second || c.DrainLimit != 5*time.Second {
		t.Errorf("proving limit %v, drain limit %v", c.Sessions.ProvingLimit, c.DrainLimit)
	}
	if c.Procs < 1 || c.Reactors < 1 {
		t.Errorf("procs %d, reactors %d were not fitted to the machine", c.Procs, c.Reactors)
	}
}

// What cannot be read is told once, not a second time as the zero it would be.
func TestLoad_FaultsAreToldOnce(t *testing.T) {
	_, err := mayLoad(t, "[sessions]\nping-every = 'soon'\nproving-limit = '1ms'", map[string]string{"GATEPASS_FROB": "1"})
	if err == nil || strings.Count(err.Error(), "ping-every") != 1 || !strings.Contains(err.Error(), "proving-limit: 1ms is below") ||
		!strings.Contains(err.Error(), "GATEPASS_FROB") {
		t.Error(err)
	}
}

func TestLoad_WorldsOfTheFile(t *testing.T) {
	c, err := mayLoad(t, "[[worlds]]\nid = 9\nname = 'Mine'\naddress = '192.0.2.1:8085'\nkind = 'rp'\nbuilds = [5875]\n[[worlds]]\nid = 10\nname = 'Plain'\naddress = '192.0.2.1:8086'", nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.WorldList()
	if err != nil || len(list) != 2 || list[1].Kind.String() != defaultKind || list[0].Name != "Mine" || list[0].Builds[0] != 5875 {
		t.Fatalf("worlds = %+v, %v", list, err)
	}
}

func TestLoad_BuildsFromTheEnvironment(t *testing.T) {
	c, err := mayLoad(t, "", map[string]string{"GATEPASS_BUILDS": "4125,12340"})
	if err != nil || !reflect.DeepEqual(c.Builds, []uint16{4125, 12340}) {
		t.Fatalf("builds = %v, %v", c, err)
	}
}

func TestLoad_WholeNumbersHoweverWritten(t *testing.T) {
	c, err := mayLoad(t, "builds = [5875.0, 0x3034]\nprocs = '3'", map[string]string{"GATEPASS_STORAGE__CACHE_MIB": "7", "GATEPASS_REACTORS": ""})
	if err != nil || !reflect.DeepEqual(c.Builds, []uint16{5875, 12340}) || c.Procs != 3 || c.Storage.CacheMiB != 7 {
		t.Fatalf("%+v, %v", c, err)
	}
}

func TestLoad_FaultsOfVariablesNameThem(t *testing.T) {
	for name, test := range map[string]struct {
		value string
		want  []string
	}{
		"GATEPASS_FROB":                    {"1", []string{"GATEPASS_FROB: ", "GATEPASS_LOG__LEVEL"}},
		"GATEPASS_LOG_LEVEL":               {"warn", []string{"GATEPASS_LOG_LEVEL: ", "did you mean GATEPASS_LOG__LEVEL"}},
		"GATEPASS_LOG":                     {"warn", []string{"GATEPASS_LOG: "}},
		"GATEPASS_BUILDS":                  {"5875,99999", []string{`builds[1]: "99999" is not a whole number in 0 to 65535`}},
		"GATEPASS_SESSIONS__PROVING_LIMIT": {"soon", []string{`sessions.proving-limit: "soon"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := mayLoad(t, "", map[string]string{name: test.value})
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

// Kubernetes sets these beside a Service named gatepass.
func TestLoad_PassesOverServiceLinks(t *testing.T) {
	_, err := mayLoad(t, "", map[string]string{
		"GATEPASS_SERVICE_HOST": "10.0.0.1", "GATEPASS_SERVICE_PORT": "3724", "GATEPASS_SERVICE_PORT_GRUNT": "3724",
		"GATEPASS_PORT": "tcp://10.0.0.1:3724", "GATEPASS_PORT_3724_TCP": "tcp://10.0.0.1:3724",
		"GATEPASS_PORT_3724_TCP_ADDR": "10.0.0.1",
	})
	if err != nil {
		t.Error(err)
	}
}

func TestKeysOf_NamesOfVariablesLeadBack(t *testing.T) {
	for _, key := range keysOf(reflect.TypeFor[Config](), "") {
		if got := envKey(envName(key)); got != key {
			t.Errorf("%s became %s, and that %s", key, envName(key), got)
		}
	}
}

func TestConfig_FitMachine_StaysWithinTheReactors(t *testing.T) {
	c := &Config{Procs: 1000}
	if c.fitMachine(); c.Reactors != logic.MaxReactors {
		t.Errorf("%d reactors, at most %d work", c.Reactors, logic.MaxReactors)
	}
}

// worldAt is a file with a world at that address.
func worldAt(address string) string {
	return "[[worlds]]\nid = 9\nname = 'Zero'\nkind = 'pve'\naddress = '" + address + "'"
}

// Every fault is named with its key, and all of them at once.
func TestLoad_FaultsNameTheirKeys(t *testing.T) {
	for _, test := range []struct {
		name, file string
		args       []string
		want       []string
	}{
		{"unknown key", "gurnt = '127.0.0.1:1'", nil, []string{"no such key: gurnt"}},
		{"unknown key within", "[log]\nlevle = 'warn'", nil, []string{"log.levle: there is no such key"}},
		{"not TOML", "grunt = '127.0.0.1:1'\ndata = ", nil, []string{"gatepass.toml: line 2, column 8: ", `"data ="`}},
		{"no value", "# one\n\n[log]\nlevel = warn\n", nil, []string{"line 4, column 9: ", `"level = warn"`}},
		{"no end", "[log\n", nil, []string{"line 1, column "}},
		{"a key twice", "[log]\nlevel = 'info'\nlevel = 'warn'\n", nil, []string{"level"}},
		{"wrong kind", "max-conns = 'many'", nil, []string{`max-conns: "many"`}},
		{"no build", "builds = [99999, -1, 5875.7, 5875]", nil, []string{
			"builds[0]: 99999 is not a whole number in 0 to 65535", "builds[1]: -1 ", "builds[2]: 5875.7 "}},
		{"build 0", "builds = [0]", nil, []string{"builds: ", "1 to 65535"}},
		{"no numbers of a world", "[[worlds]]\nid = 256\ncategory = -1\nbuilds = [65536]", nil, []string{
			"worlds[0].id: 256 is not a whole number in 0 to 255", "worlds[0].category: -1 ", "worlds[0].builds[0]: 65536 "}},
		{"not whole", "reactors = 1.5\nprocs = true\nmax-conns = 1e30\n[storage]\ncache-mib = nan", nil, []string{
			"reactors: 1.5 ", "procs: true ", "max-conns: 1e+30 ", "storage.cache-mib: NaN "}},
		{"no spans", "drain-limit = 5\n[sessions]\nproving-limit = '7 parsecs'", nil, []string{
			"drain-limit: 5 is not a span", `sessions.proving-limit: "7 parsecs" is not a span`}},
		{"no bool", "[sessions]\ndurable-logins = 'perhaps'", nil, []string{`sessions.durable-logins: "perhaps" is neither true nor false`}},
		{"no machine", "pin-core = -5\nprocs = -1\nreactors = 1000\nmax-conns = -1", nil, []string{
			"pin-core: -5", "procs: -1", "reactors: 1000", "max-conns: -1"}},
		{"no such core", "pin-core = 100000", nil, []string{"pin-core: 100000"}},
		{"no addresses", "grunt = '127.0.0.1'\nadmin = '127.0.0.1:99999'", nil, []string{"grunt: ", "admin: "}},
		{"no port", "grunt = '127.0.0.1:'", nil, []string{"grunt: "}},
		{"no limits", "[sessions]\nreconnect-grace = '-1s'\nconnected-limit = '99ms'\nproving-limit = 0\nchoosing-limit = '-1h'\nfactor-decoys = 101", nil, []string{
			"sessions.reconnect-grace: -1s", "sessions.connected-limit: 99ms is below 100ms", "sessions.proving-limit: 0s",
			"sessions.choosing-limit: -1h", "sessions.factor-decoys: 101"}},
		{"several", "[log]\nlevel = 'loud'\nformat = 'xml'\n[storage]\ncache-mib = 0", []string{"--drain-limit=-1s"},
			[]string{"log.level", "log.format", "storage.cache-mib", "drain-limit"}},
		{"too long", "[sessions]\nping-every = '61m'\npass-validity = '1h1s'", nil, []string{
			"sessions.ping-every: 1h1m0s is above 1h", "sessions.pass-validity: 1h0m1s is above 1h"}},
		{"one port", "grunt = '127.0.0.1:1'\nnative = '0.0.0.0:1'\n[gateway]\nnative-listen = ':8085'", nil, []string{
			`native: "0.0.0.0:1" has the port of grunt, "127.0.0.1:1"; each needs its own`, "gateway.native-listen: \":8085\" has the port of gateway.listen"}},
		{"native builds", "native-builds = [0]\n[gateway]\nnative-builds = [0, 1]", nil, []string{
			"native-builds: 0 is not in 1 to 65535", "gateway.native-builds: 0 is not in 1 to 65535"}},
		{"of several kinds", "native-builds = [0, 70000]\nfrob = 1\nsessions = 7\nnative = 'x'\n[log]\nlevel = 'loud'", []string{"--drain-limit=-1s"}, []string{
			"native-builds[1]: 70000", "no such key: frob", "sessions: ", `native: "x" is not HOST:PORT`, "log.level", "drain-limit: -1s"}},
		{"worlds", "[[worlds]]\nid = 1\nname = 'A'\naddress = 'nowhere'\nkind = 'pve'\n[[worlds]]\nid = 1\nname = ''\naddress = 'a:1'\nkind = 'pvq'",
			nil, []string{"address", "kind", "pvq"}},
		{"every address of a world", worldAt("0.0.0.0:8085"), nil, []string{`world 9 "Zero": address: "0.0.0.0:8085": 0.0.0.0 stands for every address`}},
		{"every IPv6 address", worldAt("[::]:8085"), nil, []string{`address: "[::]:8085": :: stands for every address`}},
		{"port 0", worldAt("192.0.2.1:0"), nil, []string{"address: ", "port in 1 to 65535"}},
		{"no brackets", worldAt("2001:db8::1:8085"), nil, []string{"brackets, such as [2001:db8::1]:8085"}},
		{"a world's category", worldAt("192.0.2.1:1") + "\ncategory = 38", nil, []string{"category: 38 is not in 0 … 37"}},
		{"advertised every address", "advertise = '0.0.0.0:3724'", nil, []string{"advertise: 0.0.0.0 stands for every address"}},
		{"advertised port 0", "advertise = '192.0.2.1:0'", nil, []string{"advertise: ", "1 to 65535"}},
		{"advertised on a link", "advertise = '[fe80::1]:3724'", nil, []string{"advertise: fe80::1 is good on one link only"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := mayLoad(t, test.file, nil, test.args...)
			var usage exit.UsageError
			if !errors.As(err, &usage) {
				t.Errorf("%v is no error of usage", err)
			}
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in: %v", want, err)
				}
			}
		})
	}
}

// Each key of the configuration is in its documentation.
func TestDocs_EveryKeyIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(reflect.TypeFor[Config](), "") {
		if !strings.Contains(string(doc), "`"+key+"`") {
			t.Errorf("docs/configuration.md does not have `%s`", key)
		}
	}
	if limit := fmt.Sprintf("event loops, at most %d;", logic.MaxReactors); !strings.Contains(string(doc), limit) {
		t.Errorf("docs/configuration.md does not say %q", limit)
	}
}
