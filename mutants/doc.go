// Command mutants changes the code in small ways, one at a time, and sees whether the
// tests of the package notice. A change that no test notices is a guard or a step that
// may be lost without a word: it wants a test, or a line in equivalent.txt that says why
// no test can tell it from the original.
//
//	go run ./mutants -n 20 -seed 1 ./server ./patches
//	go run ./mutants -at patches/take.go:76 ./patches
//
// It reads the packages' files (sites.go finds what can be changed), builds each mutant
// with go build's overlay, and runs its tests in a copy of the tree. The work tree is only
// read. Everything runs in the goroutine of main; a signal ends the test that is running
// and prints what is known by then.
package main
