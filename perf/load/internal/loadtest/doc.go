// package loadtest has servers for the tests of the load client: scripted ones that send
// fixed bytes (Script, CutOff, HangUp), and a minimal server of the native protocol.
package loadtest
