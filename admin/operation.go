package admin

import (
	"context"
	"encoding/json"

	"gatepass/accounts"
	"gatepass/storage"
)

// operation is a command that is one operation of the account store. Q is its request,
// R an object of its result. The server uses op and tell, the client ask and take; each
// pair is two directions of one conversion.
type operation[Q, R any] struct {
	Info
	kind storage.OpKind
	ask  func(*storage.Op) Q
	op   func(*Q) (storage.Op, error)
	tell func(*storage.Op, *storage.Result) []R
	take func(*R, *storage.Result) error
}

// accountCommand is an operation without its types.
type accountCommand interface {
	command
	opKind() storage.OpKind
	request(op *storage.Op) any
	parse(read func(v any) error) (storage.Op, error)
	objects(op *storage.Op, r *storage.Result) []any
	result(object []byte, into *storage.Result) error
}

func (o operation[Q, R]) opKind() storage.OpKind     { return o.kind }
func (o operation[Q, R]) request(op *storage.Op) any { return o.ask(op) }

// parse reads a request. Its error is ErrProtocol for what is no request, else the fault
// of the request.
func (o operation[Q, R]) parse(read func(v any) error) (storage.Op, error) {
	var q Q
	if err := read(&q); err != nil {
		// The cause is dropped: it may quote what is secret.
		return storage.Op{}, ErrProtocol
	}
	op, err := o.op(&q)
	op.Kind = o.kind
	return op, err
}

// objects is the result as it goes to the client.
func (o operation[Q, R]) objects(op *storage.Op, r *storage.Result) (all []any) {
	if o.tell == nil {
		return nil
	}
	for _, object := range o.tell(op, r) {
		all = append(all, object)
	}
	return all
}

// result reads one object of a reply.
func (o operation[Q, R]) result(object []byte, into *storage.Result) error {
	var r R
	if o.take == nil || json.Unmarshal(object, &r) != nil {
		return ErrProtocol
	}
	return o.take(&r, into)
}

// run carries out one operation.
func (o operation[Q, R]) run(ctx context.Context, c *call, body []byte) error {
	op, err := o.parse(func(v any) error { return accounts.StrictJSON(body, v) })
	if err != nil {
		return refuse(err)
	}
	results, err := c.operate(ctx, op)
	if err != nil {
		return err
	}
	if err := results[0].Err; err != nil {
		return err
	}
	for _, object := range o.objects(&op, &results[0]) {
		if more, err := c.tell(object); err != nil || o.kind == storage.OpList && !more {
			return err // a list that is cut short goes on with the client's next request
		}
	}
	return nil
}

// table finds commands.
type table struct {
	byName map[string]command
	byKind map[storage.OpKind]accountCommand
}

func newTable() *table {
	t := &table{make(map[string]command), make(map[storage.OpKind]accountCommand)}
	for _, c := range commands() {
		t.byName[c.info().Name] = c
		if o, ok := c.(accountCommand); ok {
			t.byKind[o.opKind()] = o
		}
	}
	return t
}
