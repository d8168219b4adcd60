package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// mayLoad reads a configuration from a file's text, variables and flags.
func mayLoad(t *testing.T, file string, env map[string]string, args ...string) (*config, error) {
	t.Helper()
	for k, v := range env {
		t.Setenv(k, v)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	serverFlags(flags)
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
	return loadConfig(flags, demoWorlds())
}

func TestLoadConfig_FlagsBeatEnvironmentBeatsFileBeatsDefaults(t *testing.T) {
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

func TestLoadConfig_WorldsOfTheFileReplaceTheDemoWorlds(t *testing.T) {
	c, err := mayLoad(t, "[[worlds]]\nid = 9\nname = 'Mine'\naddress = '192.0.2.1:8085'\nkind = 'rp'\nbuilds = [5875]", nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.worldList()
	if err != nil || len(list) != 1 || list[0].Name != "Mine" || list[0].Builds[0] != 5875 {
		t.Fatalf("worlds = %+v, %v", list, err)
	}
}

func TestLoadConfig_BuildsFromTheEnvironment(t *testing.T) {
	c, err := mayLoad(t, "", map[string]string{"GATEPASS_BUILDS": "4125,12340"})
	if err != nil || !reflect.DeepEqual(c.Builds, []uint16{4125, 12340}) {
		t.Fatalf("builds = %v, %v", c, err)
	}
}

// Every fault is named with its key, and all of them at once.
func TestLoadConfig_FaultsNameTheirKeys(t *testing.T) {
	for _, test := range []struct {
		name, file string
		args       []string
		want       []string
	}{
		{"unknown key", "gurnt = '127.0.0.1:1'", nil, []string{"gurnt"}},
		{"unknown key within", "[log]\nlevle = 'warn'", nil, []string{"levle"}},
		{"not TOML", "data = ", nil, []string{"gatepass.toml"}},
		{"wrong kind", "max-conns = 'many'", nil, []string{"max-conns"}},
		{"several", "[log]\nlevel = 'loud'\nformat = 'xml'\n[storage]\ncache-mib = 0", []string{"--drain-limit=-1s"},
			[]string{"log.level", "log.format", "storage.cache-mib", "drain-limit"}},
		{"worlds", "[[worlds]]\nid = 1\nname = 'A'\naddress = 'nowhere'\nkind = 'pve'\n[[worlds]]\nid = 1\nname = ''\naddress = 'a:1'\nkind = 'pvq'",
			nil, []string{"address", "kind", "pvq"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := mayLoad(t, test.file, nil, test.args...)
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
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(reflect.TypeFor[config](), "") {
		if !strings.Contains(string(doc), "`"+key+"`") {
			t.Errorf("docs/configuration.md does not have `%s`", key)
		}
	}
}

func keysOf(t reflect.Type, prefix string) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("koanf")
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(f.Type, key+".")...)
			continue
		}
		keys = append(keys, key)
	}
	return keys
}
