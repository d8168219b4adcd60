package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatepass/cmd/gatepass/internal/cli"
)

// Whatever a flag takes, a value that it does not take is told with its name and what may
// stand there, and never in the words of a parser.
func TestFlags_FaultsNameTheFlagAndWhatItTakes(t *testing.T) {
	var commands []*cobra.Command
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		commands = append(commands, c)
		for _, each := range c.Commands() {
			walk(each)
		}
	}
	walk(cli.Root())
	seen := make(map[string]bool)
	for _, c := range commands {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			seen[f.Value.Type()] = true
			switch f.Value.Type() {
			case "string", "stringSlice", "stringArray":
				return // take any text
			}
			values := []string{"many", "-99999999999999999999"}
			if f.Value.Type() == "float64" {
				values = values[:1] // the command itself says what it takes of that
			}
			for _, value := range values {
				var errOut bytes.Buffer
				args := append(strings.Fields(c.CommandPath())[1:], "--"+f.Name+"="+value)
				code := run(args, strings.NewReader(""), &bytes.Buffer{}, &errOut)
				text := errOut.String()
				if code != 2 || !strings.Contains(text, "--"+f.Name) || !strings.Contains(text, value) ||
					strings.Contains(text, "strconv") || strings.Contains(text, "parsing") {
					t.Errorf("%v: exit code %d: %s", args, code, text)
				}
			}
		})
	}
	for _, kind := range []string{"uint8", "uint16", "int", "float64", "duration", "bool"} {
		if !seen[kind] {
			t.Errorf("no flag is of the type %s", kind)
		}
	}
}

func TestFlags_OutOfRange(t *testing.T) {
	var errOut bytes.Buffer
	code := run([]string{"gateway", "--gateway.id", "300"}, strings.NewReader(""), &bytes.Buffer{}, &errOut)
	want := `--gateway.id: "300" is not a whole number in 0 to 255; it is for: the world's ID, 1 to 255`
	if code != 2 || !strings.Contains(errOut.String(), want) {
		t.Errorf("exit code %d: %s", code, errOut.String())
	}
}
