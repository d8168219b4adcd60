package admin

import (
	"context"
	"encoding/json"
	"fmt"

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
	parse(body []byte) (storage.Op, error)
	objects(op *storage.Op, r *storage.Result) []any
	result(object []byte, into *storage.Result) error
}

func (o operation[Q, R]) opKind() storage.OpKind     { return o.kind }
func (o operation[Q, R]) request(op *storage.Op) any { return o.ask(op) }

// parse reads a request. It is ErrProtocol if it is none, else the request's fault.
func (o operation[Q, R]) parse(body []byte) (storage.Op, error) {
	var q Q
	if err := accounts.StrictJSON(body, &q); err != nil {
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
	op, err := o.parse(body)
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

// BatchRequest asks for several operations of the account store, which go to it
// together.
type BatchRequest struct {
	Commands []BatchItem `json:"commands"`
}

// BatchItem is one of them.
type BatchItem struct {
	Command string          `json:"command"`
	Request json.RawMessage `json:"request"`
}

// BatchResult is how one of them ended; there is one for each, in their order.
type BatchResult struct {
	// Item counts from 0.
	Item    int               `json:"item"`
	Results []json.RawMessage `json:"results,omitempty"`
	// Error is a word of words.go.
	Error string `json:"error,omitempty"`
}

// batch carries out many operations with one durable write. Each of them needs its own
// permission, and is logged by its own name.
type batch struct{}

func (batch) info() Info {
	return Info{Name: "account.batch", May: PermissionRead, Audit: "batch", Changes: true}
}

// batchItems is what a batch is made of.
type batchItems struct {
	commands []accountCommand
	ops      []storage.Op
}

func (batch) run(ctx context.Context, c *call, body []byte) error {
	items, err := parseBatch(c, body)
	if err != nil {
		return refuse(err)
	}
	results, err := c.operate(ctx, items.ops...)
	if err != nil {
		return err
	}
	room := maxRequest
	for i := range results {
		line, err := items.line(i, &results[i], &room)
		if err != nil {
			return err
		}
		if _, err := c.tell(line); err != nil {
			return err
		}
	}
	return nil
}

func parseBatch(c *call, body []byte) (*batchItems, error) {
	var q BatchRequest
	if accounts.StrictJSON(body, &q) != nil || len(q.Commands) == 0 || len(q.Commands) > accounts.MaxOps {
		return nil, ErrProtocol
	}
	items := &batchItems{}
	for _, each := range q.Commands {
		o, ok := c.table.byName[each.Command].(accountCommand)
		if !ok {
			return nil, ErrProtocol
		}
		if !c.may.Has(o.info().May) {
			return nil, ErrForbidden
		}
		op, err := o.parse(each.Request)
		if err != nil {
			return nil, err
		}
		items.commands, items.ops = append(items.commands, o), append(items.ops, op)
	}
	return items, nil
}

// line leaves out accounts that do not fit into room bytes; a list may be cut short, but
// never to nothing.
func (b *batchItems) line(i int, r *storage.Result, room *int) (BatchResult, error) {
	if r.Err != nil {
		return BatchResult{Item: i, Error: errorWord(r.Err)}, nil
	}
	line := BatchResult{Item: i}
	for k, object := range b.commands[i].objects(&b.ops[i], r) {
		raw, err := json.Marshal(object)
		if err != nil {
			return line, fmt.Errorf("admin: %w", err)
		}
		if *room -= len(raw); *room < 0 && k > 0 && b.ops[i].Kind == storage.OpList {
			break
		}
		line.Results = append(line.Results, raw)
	}
	return line, nil
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
