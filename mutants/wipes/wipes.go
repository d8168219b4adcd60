// Package wipes lets tests check that a package clears its secrets. A local variable that is
// overwritten before its function returns cannot be seen from outside, so no ordinary test
// fails when the wiping line is removed. Check therefore compares those lines with a list in
// the package's testdata. Only tests import this package.
package wipes

import (
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// list is the file with one line for each statement that wipes.
const list = "testdata/secrets/wipes"

// forgets matches functions that overwrite their arguments or their receiver.
var forgets = regexp.MustCompile(`^(clear|wipe|Wipe|forget|Forget)$`)

// Check fails the test unless the package in the current folder wipes exactly what its list
// says. A new line has to be added to the list. A missing line means that a secret stays in
// memory, unless the secret no longer exists.
func Check(t testing.TB) {
	t.Helper()
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found, err := Find(name, source)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, found...)
	}
	slices.Sort(got)
	compare(t, strings.Split(strings.TrimSpace(string(want)), "\n"), got)
}

func compare(t testing.TB, want, got []string) {
	t.Helper()
	left := slices.Clone(want)
	for _, line := range got {
		if i := slices.Index(left, line); i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		t.Errorf("new, add it to %s: %s", list, line)
	}
	for _, line := range left {
		t.Errorf("nothing wipes this any more (if the secret is gone, too, take it out of %s): %s", list, line)
	}
}

// Find returns the wiping statements of a file, each with its function, in file order. It
// ignores statements inside a condition that is the constant false.
func Find(name string, source []byte) (all []string, err error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, 0)
	if err != nil {
		return nil, err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IfStmt:
				if x, ok := n.Cond.(*ast.Ident); ok && x.Name == "false" {
					return false
				}
			case *ast.DeferStmt:
				if forgetting(n.Call) {
					all = append(all, functionName(f)+": "+text(fset, n))
					return false
				}
			case *ast.CallExpr:
				if forgetting(n) {
					all = append(all, functionName(f)+": "+text(fset, n))
					return false
				}
			case *ast.SelectorExpr: // p.behind(x.Wipe)
				if n.Sel.Name == "Wipe" {
					all = append(all, functionName(f)+": "+text(fset, n))
				}
			case *ast.AssignStmt:
				if resets(f, n) {
					all = append(all, functionName(f)+": "+text(fset, n))
				}
			}
			return true
		})
	}
	return all, nil
}

func forgetting(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return forgets.MatchString(f.Name)
	case *ast.SelectorExpr:
		return forgets.MatchString(f.Sel.Name)
	}
	return false
}

// resets returns whether a function that matches forgets sets something to its zero value.
func resets(f *ast.FuncDecl, n *ast.AssignStmt) bool {
	if !forgets.MatchString(f.Name.Name) || len(n.Rhs) != 1 {
		return false
	}
	empty, ok := n.Rhs[0].(*ast.CompositeLit)
	return ok && len(empty.Elts) == 0
}

func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	if name, ok := t.(*ast.Ident); ok {
		return name.Name + "." + f.Name.Name
	}
	return f.Name.Name
}

func text(fset *token.FileSet, n ast.Node) string {
	var b strings.Builder
	if err := printer.Fprint(&b, fset, n); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
