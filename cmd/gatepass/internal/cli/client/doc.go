// Package client has the command 'gatepass client': a player's terminal for the native
// protocol. Package gatepass/client speaks the protocol; this package asks for account and
// password, shows the worlds and carries out the player's commands, either on a screen or
// as JSON lines for programs.
//
// The player's loop (player.play) runs in one goroutine. It takes orders from the screen
// or from lines of standard input, and tells both what is new by the types in news.go.
package client
