// package engine runs the clients that log in: many connections on one thread, in one
// epoll loop. Workers runs one engine for each thread and adds up their results.
//
//	workers, err := engine.NewWorkers(options)
//	workers.Start()
//	workers.Measuring.Store(true) // logins that begin from now on count
//	workers.Stop(engine.StopDrain)
//	results := workers.Logins()
//
// After the login, clients can be held (Options.Hold). Held clients can receive the
// changes of a world (Watch) or move to a gate and back (Moves).
//
// An engine belongs to its goroutine, which is locked to a thread. Other goroutines read
// its atomic counters while it runs and the rest after it has ended.
package engine
