package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// kind is a way to change code.
type kind string

const (
	// kindNegate negates a condition.
	kindNegate kind = "negate"
	// kindDropGuard never enters an if.
	kindDropGuard kind = "drop-guard"
	// kindDropCall removes a call, deferred or not.
	kindDropCall kind = "drop-call"
	// kindDropWipe removes a statement that overwrites or clears a value.
	kindDropWipe kind = "drop-wipe"
	// kindDropExit continues where the code returns, breaks or continues.
	kindDropExit kind = "drop-exit"
	// kindSwallow returns nil instead of an error.
	kindSwallow kind = "swallow-error"
	// kindCompare replaces a comparison or logical operator by a similar one.
	kindCompare kind = "compare"
	// kindConstant adds one to a number or subtracts one.
	kindConstant kind = "constant"
)

// site is a place in a file and its replacement text.
type site struct {
	file     string // path from the root of the module, with slashes
	line     int
	function string
	kind     kind
	from, to int // bytes of the file that are replaced
	before   string
	after    string
	// id identifies a site by its text, so that it stays the same when lines move.
	id string
}

func (s *site) String() string {
	return fmt.Sprintf("%s:%d %s: %s → %s", s.file, s.line, s.kind, oneLine(s.before), oneLine(s.after))
}

// apply returns the file with the change applied.
func (s *site) apply(source []byte) []byte {
	return []byte(string(source[:s.from]) + s.after + string(source[s.to:]))
}

var spaces = regexp.MustCompile(`\s+`)

// shown is how many characters of a snippet are printed.
const shown = 70

func oneLine(code string) string {
	code = strings.TrimSpace(spaces.ReplaceAllString(code, " "))
	if r := []rune(code); len(r) > shown {
		return string(r[:shown]) + "…"
	}
	return code
}

// finder walks a file and collects its sites.
type finder struct {
	name     string
	source   []byte
	fset     *token.FileSet
	function string
	// keep are the statements without which the file does not build.
	keep map[ast.Node]bool
	all  []site
}

// findSites returns all changes of a file, in file order. A generated file has none.
func findSites(name string, source []byte) ([]site, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, source, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	if ast.IsGenerated(file) {
		return nil, nil
	}
	f := &finder{name: name, source: source, fset: fset, keep: make(map[ast.Node]bool)}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Body != nil {
				f.function = functionName(d)
				f.keepLast(d.Type, d.Body)
				ast.Inspect(d.Body, f.visit)
			}
		case *ast.GenDecl:
			if d.Tok != token.IMPORT {
				f.function = "declarations"
				ast.Inspect(d, f.visit)
			}
		}
	}
	f.identify()
	return f.all, nil
}

// identify sets the id of each site. When several sites of a function have the same text, all
// but the first get a number.
func (f *finder) identify() {
	times := make(map[string]int)
	for i := range f.all {
		s := &f.all[i]
		s.id = fmt.Sprintf("%s: %s: %s: %s", s.file, s.function, s.kind, oneLine(s.before))
		if s.kind == kindConstant {
			s.id += " → " + s.after
		}
		times[s.id]++
		if n := times[s.id]; n > 1 {
			s.id += fmt.Sprintf(" #%d", n)
		}
	}
}

func functionName(d *ast.FuncDecl) string {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return d.Name.Name
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	switch t := receiver.(type) {
	case *ast.IndexExpr:
		receiver = t.X
	case *ast.IndexListExpr:
		receiver = t.X
	}
	if name, ok := receiver.(*ast.Ident); ok {
		return name.Name + "." + d.Name.Name
	}
	return d.Name.Name
}

// keepLast keeps the last return of a function with results, because the compiler requires it.
func (f *finder) keepLast(t *ast.FuncType, body *ast.BlockStmt) {
	if t.Results != nil && len(body.List) > 0 {
		f.keep[body.List[len(body.List)-1]] = true
	}
}

func (f *finder) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.FuncLit:
		f.keepLast(n.Type, n.Body)
	case *ast.IfStmt:
		f.condition(n)
	case *ast.ForStmt:
		if n.Cond != nil {
			f.add(kindNegate, n.Cond, "!("+f.text(n.Cond)+")")
		}
	case *ast.ExprStmt:
		f.call(n, n.X)
	case *ast.DeferStmt:
		f.call(n, n.Call)
	case *ast.AssignStmt:
		f.assignment(n)
	case *ast.ReturnStmt:
		f.exit(n)
		f.swallow(n)
	case *ast.BranchStmt:
		if n.Tok == token.BREAK || n.Tok == token.CONTINUE {
			f.exit(n)
		}
	case *ast.BinaryExpr:
		f.operator(n)
	case *ast.BasicLit:
		if n.Kind == token.INT {
			f.add(kindConstant, n, "("+n.Value+" + 1)")
			f.add(kindConstant, n, "("+n.Value+" - 1)")
		}
	}
	return true
}

func (f *finder) condition(n *ast.IfStmt) {
	cond := f.text(n.Cond)
	// For == and != kindCompare would make the same change.
	if b, ok := n.Cond.(*ast.BinaryExpr); !ok || b.Op != token.EQL && b.Op != token.NEQ {
		f.add(kindNegate, n.Cond, "!("+cond+")")
	}
	if n.Else == nil {
		f.add(kindDropGuard, n.Cond, "false && ("+cond+")")
	}
}

// wipes matches names of functions that overwrite or clear their arguments.
var wipes = regexp.MustCompile(`(?i)wipe|clear|zero|forget|erase|scrub`)

// talks matches names of methods that write to a log; tests do not check log texts.
var talks = regexp.MustCompile(`^(Debug|Info|Warn|Error|Log)(Context|Attrs)?$`)

func (f *finder) call(n ast.Stmt, x ast.Expr) {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return
	}
	name := ""
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		name = fun.Name
	case *ast.SelectorExpr:
		name = fun.Sel.Name
	}
	switch {
	case name == "panic" || talks.MatchString(name):
	case wipes.MatchString(name):
		f.add(kindDropWipe, n, "if false { "+f.text(n)+" }")
	default:
		f.add(kindDropCall, n, "if false { "+f.text(n)+" }")
	}
}

// assignment adds a site that removes an assignment of a zero value.
func (f *finder) assignment(n *ast.AssignStmt) {
	if n.Tok != token.ASSIGN || len(n.Rhs) != 1 {
		return
	}
	switch v := n.Rhs[0].(type) {
	case *ast.CompositeLit:
		if len(v.Elts) > 0 {
			return
		}
	case *ast.Ident:
		if v.Name != "nil" {
			return
		}
	default:
		return
	}
	f.add(kindDropWipe, n, "if false { "+f.text(n)+" }")
}

func (f *finder) exit(n ast.Stmt) {
	if !f.keep[n] {
		f.add(kindDropExit, n, "if false { "+f.text(n)+" }")
	}
}

func (f *finder) swallow(n *ast.ReturnStmt) {
	if len(n.Results) == 0 {
		return
	}
	last := n.Results[len(n.Results)-1]
	if name, ok := last.(*ast.Ident); ok && (name.Name == "err" || strings.HasPrefix(name.Name, "Err")) {
		f.add(kindSwallow, last, "nil")
	}
}

var neighbours = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
	token.EQL: "!=", token.NEQ: "==", token.LAND: "||", token.LOR: "&&",
}

func (f *finder) operator(n *ast.BinaryExpr) {
	other, ok := neighbours[n.Op]
	if !ok {
		return
	}
	f.add(kindCompare, n, f.text(n.X)+" "+other+" "+f.text(n.Y))
}

func (f *finder) add(k kind, n ast.Node, after string) {
	from, to := f.offset(n.Pos()), f.offset(n.End())
	f.all = append(f.all, site{
		file: f.name, line: f.fset.Position(n.Pos()).Line, function: f.function, kind: k,
		from: from, to: to, before: f.text(n), after: after,
	})
}

func (f *finder) text(n ast.Node) string {
	return string(f.source[f.offset(n.Pos()):f.offset(n.End())])
}

func (f *finder) offset(p token.Pos) int { return f.fset.Position(p).Offset }
