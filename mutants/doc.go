// Command mutants changes the code in small ways, one at a time, and checks whether the tests
// of the package fail. A change that no test detects is a check or a step that could be lost
// unnoticed. It needs a test, or a line in equivalent.txt that says why no test can tell it
// from the original.
//
//	go run ./mutants -n 20 -seed 1 ./server ./patches
//	go run ./mutants -at patches/take.go:76 ./patches
//
// It reads the packages' files (sites.go finds the possible changes), builds each mutant with
// go build's overlay, and runs its tests in a copy of the tree. The work tree is only read.
// Everything runs in the goroutine of main. A signal ends the running test and prints the
// results so far.
package main
