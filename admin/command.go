package admin

import (
	"context"

	"gatepass/accounts"
)

// Info is what every command says of itself.
type Info struct {
	// Name is where the command is served: POST /v1/NAME.
	Name string
	// May is the permission that an operator needs to give it.
	May Permission
	// Audit is what the audit log calls it.
	Audit string
	// Changes tells that it changes something. Commands that only read are not logged.
	Changes bool
}

// Services are what commands work on. A nil one is not there: its commands get
// ErrProtocol.
type Services struct {
	Accounts *accounts.Manager
	Region   Region
	Patches  *Patches
}

// Command is a command with a typed request and any number of typed results.
// Commands of the account store are operations; an accounts.Manager gives them.
type Command[Q, R any] struct {
	Info
	do func(ctx context.Context, s *Services, q *Q, tell func(R) error) error
}

// None is the request or the result of a command that has none.
type None struct{}

// Run carries the command out in this process.
func (c Command[Q, R]) Run(ctx context.Context, s Services, q Q) (results []R, err error) {
	err = c.Stream(ctx, s, q, func(r R) error {
		results = append(results, r)
		return nil
	})
	return results, err
}

// Stream is Run for commands that tell of their progress: take gets each result as it
// comes. An error of take ends the command.
func (c Command[Q, R]) Stream(ctx context.Context, s Services, q Q, take func(R) error) error {
	return c.do(ctx, &s, &q, take)
}

// run carries it out for the server.
func (c Command[Q, R]) run(ctx context.Context, call *call, body []byte) error {
	var q Q
	if accounts.StrictJSON(body, &q) != nil {
		return refuse(ErrProtocol)
	}
	err := c.do(ctx, &call.services, &q, func(r R) error {
		_, err := call.tell(r)
		return err
	})
	if err == nil && c.Changes {
		call.logger.Info("changed", "change", c.Audit)
	}
	return err
}

// command is a command without its types, as the server needs it.
type command interface {
	info() Info
	// run carries the command out. body is its request, tell takes each object of its
	// result. Errors before the first object refuse the command.
	run(ctx context.Context, c *call, body []byte) error
}

// info makes every type that embeds an Info know it.
func (i Info) info() Info { return i }

// Commands describes every command there is.
func Commands() []Info {
	var all []Info
	for _, c := range commands() {
		all = append(all, c.info())
	}
	return all
}

// commands is the table of all commands. A command that is not here does not exist.
func commands() (all []command) {
	for _, o := range operations() {
		all = append(all, o)
	}
	all = append(all, batch{})
	all = append(all, regionCommands()...)
	return append(all, patchCommands()...)
}
