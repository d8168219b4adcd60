// Package terminal has what the commands share: checks of arguments and flags, prompts for
// secrets, progress bars, output as JSON, and numbers and times in words. It knows no
// command.
package terminal
