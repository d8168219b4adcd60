// Package process runs one gatepass process, whatever its role: Run starts the parts that
// the role adds, prints the ready line, waits for a signal or for a part that fails, and
// drains and closes the parts in reverse order. The parts share one log, one listener for
// operators (health, readiness, metrics, profiles) and the connections to the bus.
//
// The package knows no role. The packages roles and edge call it, from the goroutine of
// Run:
//
//	err := process.Run(ctx, process.Options{Config: c, Out: out, ErrOut: errOut},
//		func(ctx context.Context, p *process.Process) error {
//			conn, err := p.ConnectBus(ctx, node, nil)
//			if err != nil {
//				return err
//			}
//			p.Add(process.Part{Name: "example", Close: stop})
//			p.Say("example", address)
//			return nil
//		})
package process
