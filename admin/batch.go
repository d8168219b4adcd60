package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"gatepass/accounts"
	"gatepass/storage"
)

// BatchItem stands before the request of each operation in a batch, as an object of its
// own: {"command":"account.unban"}{"name":"BOB"}.
type BatchItem struct {
	Command string `json:"command"`
}

// BatchResult is how an operation of a batch ended; there is one for each, in their
// order.
type BatchResult struct {
	// Item counts from 0.
	Item int `json:"item"`
	// Results are those of the command.
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

// batchItems are the operations of a batch.
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
	items, stream := &batchItems{}, accounts.NewStrictStream(body)
	for {
		var item BatchItem
		switch err := stream.Next(&item); {
		case errors.Is(err, io.EOF) && len(items.ops) > 0:
			return items, nil
		case err != nil || len(items.ops) == accounts.MaxOps:
			return nil, ErrProtocol
		}
		o, ok := c.table.byName[item.Command].(accountCommand)
		if !ok {
			return nil, ErrProtocol
		}
		if !c.may.Has(o.info().May) {
			return nil, ErrForbidden
		}
		op, err := o.parse(stream.Next)
		if err != nil {
			return nil, err
		}
		items.commands, items.ops = append(items.commands, o), append(items.ops, op)
	}
}

// line leaves out accounts that do not fit into room bytes; a list may be cut short, but
// never to nothing.
func (b *batchItems) line(i int, r *storage.Result, room *int) (BatchResult, error) {
	line := BatchResult{Item: i}
	if r.Err != nil {
		line.Error = errorWord(r.Err)
		return line, nil
	}
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
