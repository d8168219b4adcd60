package gatepass_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// Every relative link of the pages leads to a file that exists, and its anchor to a
// heading of that file.
func TestDocs_LinksHold(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d pages, %v", pattern, len(found), err)
		}
		pages = append(pages, found...)
	}
	links := 0
	for _, page := range pages {
		for _, target := range linksOf(prose(read(t, page))) {
			links++
			if err := leads(t, page, target); err != nil {
				t.Errorf("%s: the link to %s: %v", page, target, err)
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links found: the pages have more", links)
	}
}

func TestDocs_AnchorsAreThoseOfGitHub(t *testing.T) {
	page := "# The `a_b` key, and `--flag`\n## A full disk\n```\n# no heading\n```\n## A full disk\n### [A link](x.md): 2 GiB\n"
	for _, anchor := range []string{"the-a_b-key-and---flag", "a-full-disk", "a-full-disk-1", "a-link-2-gib"} {
		if !anchorsOf(prose(page))[anchor] {
			t.Errorf("no anchor %s in %v", anchor, anchorsOf(prose(page)))
		}
	}
	if len(anchorsOf(prose(page))) != 4 {
		t.Errorf("a line of a block is a heading: %v", anchorsOf(prose(page)))
	}
}

// leads returns an error if a link of a page leads nowhere.
func leads(t *testing.T, page, target string) error {
	path, anchor, hasAnchor := strings.Cut(target, "#")
	file := page
	if path != "" {
		file = filepath.Join(filepath.Dir(page), path)
	}
	if _, err := os.Stat(file); err != nil {
		return err
	}
	if hasAnchor && !anchorsOf(prose(read(t, file)))[anchor] {
		return fmt.Errorf("%s has no heading #%s", file, anchor)
	}
	return nil
}

// prose returns the page without its fenced blocks, which have neither links nor headings.
func prose(page string) string {
	var kept []string
	fenced := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

var (
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	code    = regexp.MustCompile("`[^`\n]*`")
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
)

// linksOf returns the targets of all links that stay in the repository.
func linksOf(text string) (targets []string) {
	for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
		if !strings.Contains(m[1], "://") && !strings.HasPrefix(m[1], "mailto:") {
			targets = append(targets, m[1])
		}
	}
	return targets
}

// anchorsOf returns the anchors that GitHub gives to the headings: lower-case letters,
// digits, hyphens and underscores of the visible text, a hyphen for each space, and a
// number behind an anchor that the page has already.
func anchorsOf(text string) map[string]bool {
	anchors, seen := map[string]bool{}, map[string]int{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, link.ReplaceAllString(m[1], ""))
		if n := seen[anchor]; n > 0 {
			anchors[fmt.Sprintf("%s-%d", anchor, n)] = true
		} else {
			anchors[anchor] = true
		}
		seen[anchor]++
	}
	return anchors
}
