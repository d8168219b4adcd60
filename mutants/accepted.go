package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// acceptedFile lists the surviving mutants that no test can catch. The path starts at the root
// of the module.
const acceptedFile = "mutants/equivalent.txt"

// accepted maps the id of a site to the reason why its mutant may survive.
type accepted map[string]string

// readAccepted reads a list of ids, each followed by its reason on indented lines. Lines
// that begin with # are comments.
func readAccepted(r io.Reader) (accepted, error) {
	all := make(accepted)
	lines := bufio.NewScanner(r)
	id := ""
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch text := strings.TrimSpace(line); {
		case text == "" || strings.HasPrefix(text, "#"):
		case text != strings.TrimRight(line, " \t"): // indented
			if id == "" {
				return nil, fmt.Errorf("line %d: a reason without a mutant above it", n)
			}
			all[id] = strings.TrimSpace(all[id] + " " + text)
		default:
			if err := all.reasonFor(id); err != nil {
				return nil, err
			}
			if _, twice := all[text]; twice {
				return nil, fmt.Errorf("line %d: %s stands here twice", n, text)
			}
			id = text
			all[id] = ""
		}
	}
	if err := all.reasonFor(id); err != nil {
		return nil, err
	}
	return all, lines.Err()
}

func (a accepted) reasonFor(id string) error {
	if id != "" && a[id] == "" {
		return fmt.Errorf("%s has no reason on an indented line below it", id)
	}
	return nil
}
