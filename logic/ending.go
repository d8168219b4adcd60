package logic

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// endReason says why the logic ends a session. What the client is told, whether it is
// told when to come back, how its connection is closed and what is counted and logged
// follow from it; see endings.
type endReason uint8

const (
	// endWrongCredentials: no account can have the name.
	endWrongCredentials endReason = iota
	// endProofFailed, endFactorFailed, endReproofFailed, endTokenFailed: there is no such
	// account, key or token, or the proof or second factor is wrong. endTokenReplayed: the
	// token was used before.
	endProofFailed
	endFactorFailed
	endReproofFailed
	endTokenFailed
	endTokenReplayed
	// endBusy: this server has no room for the request, or cannot answer it now.
	endBusy
	// endOutOfPlace: the message is not valid in the session's state.
	endOutOfPlace
	// endProtocol: the message is valid in the state but not at this point.
	endProtocol
	// endBanned and endSuspended: the address or the account is banned, for good or for
	// a time.
	endBanned
	endSuspended
	// endVersionInvalid: the client's build or files are not accepted, endVersionOld:
	// there is an update and the client cannot take it.
	endVersionInvalid
	endVersionOld
	// endKeyReplaced: a later login has replaced the session's key.
	endKeyReplaced
	// endCredentialsChanged: the account was changed after the client had proven it.
	endCredentialsChanged

	// endCommand: an operator ended the account, because it is banned or suspended for
	// the next two.
	endCommand
	endCommandBanned
	endCommandSuspended
	// endAddressBanned: an operator banned the address.
	endAddressBanned
	// endSecondLogin, endReconnect, endReconnectElsewhere and endSecondUpdate: the
	// account came in by another connection.
	endSecondLogin
	endReconnect
	endReconnectElsewhere
	endSecondUpdate
	// endDirectoryLogin and endDirectoryOnline: the directory ended one login for a newer
	// one, the second because the account was in a world. endDirectoryCommand and
	// endDirectoryCommandOnline: it ended every login of the account.
	endDirectoryLogin
	endDirectoryOnline
	endDirectoryCommand
	endDirectoryCommandOnline

	// endIdle: the session was in its state for too long.
	endIdle
	// endStopped: this server stops now.
	endStopped
	// endDrained: this server stops soon, and the client is to come back to another.
	endDrained

	// endUpdated: the client has its file, endUpdateFailed: it gets no more of the file
	// (version.ended says why), endUpdateCancelled: it does not want the file.
	endUpdated
	endUpdateFailed
	endUpdateCancelled

	// endOverload: the client's send queue is full.
	endOverload
	// endFault: a bug of ours.
	endFault
	// endReasonCount is the number of reasons, for tables.
	endReasonCount
)

// whyCommand is the reason in the log, and on the bus, of an account that an operator
// ends.
const whyCommand = "command"

// lastWord is the kind of the last message to a client.
type lastWord uint8

const (
	// lastNone: the connection is closed without a message.
	lastNone lastWord = iota
	// lastRefusal answers the client's request.
	lastRefusal
	// lastKick says why the session ends.
	lastKick
	// lastGoingAway says when to come back.
	lastGoingAway
	// lastUpdate says how the transfer of the file ended.
	lastUpdate
)

// ending is what follows from an endReason.
type ending struct {
	word lastWord
	// results are what the client is told, by protocol.
	results [codec.ProtocolCount]codec.Result
	// signals are what is signalled, in this order.
	signals []SignalKind
	// why is for the log of a kick. byClient says that another login is the reason and
	// not an operator: that is logged at a level that clients cannot fill the log with.
	why      string
	byClient bool
	// expired: it is counted among the sessions that were too long in a state.
	expired bool
	// repeat: a session that is leaving already has its connection closed again.
	repeat bool
	// close is the reason that the reactor is given when there is no last message.
	close codec.CloseReason
}

func both(result codec.Result) [codec.ProtocolCount]codec.Result {
	return [codec.ProtocolCount]codec.Result{codec.ProtocolGrunt: result, codec.ProtocolNative: result}
}

func refusal(result codec.Result) ending {
	return ending{word: lastRefusal, results: both(result), signals: []SignalKind{SignalRefused}, close: codec.CloseLogic}
}

func kicked(result codec.Result, why string) ending {
	return ending{word: lastKick, results: both(result), signals: []SignalKind{SignalKicked}, why: why, close: codec.CloseLogic}
}

func replaced(result codec.Result, why string) ending {
	e := kicked(result, why)
	e.byClient = true
	return e
}

// failed is a refusal for what the client could not prove.
func failed(kind SignalKind) ending {
	e := refusal(codec.ResultBadCredentials)
	e.signals = []SignalKind{kind, SignalRefused}
	return e
}

// outOfPlace is a refusal with a result of its own for each protocol.
func outOfPlace() ending {
	e := refusal(codec.ResultProtocol)
	e.results[codec.ProtocolGrunt] = codec.ResultNoAccess
	return e
}

// endings is what follows from each reason.
var endings = [endReasonCount]ending{
	endWrongCredentials:   refusal(codec.ResultBadCredentials),
	endProofFailed:        failed(SignalProofFailed),
	endFactorFailed:       failed(SignalFactorFailed),
	endReproofFailed:      failed(SignalReproofFailed),
	endTokenFailed:        failed(SignalTokenFailed),
	endTokenReplayed:      failed(SignalTokenReplayed),
	endBusy:               refusal(codec.ResultBusy),
	endOutOfPlace:         outOfPlace(),
	endProtocol:           refusal(codec.ResultProtocol),
	endBanned:             refusal(codec.ResultBanned),
	endSuspended:          refusal(codec.ResultSuspended),
	endVersionInvalid:     refusal(codec.ResultVersionInvalid),
	endVersionOld:         refusal(codec.ResultVersionUpdate),
	endKeyReplaced:        refusal(codec.ResultReplaced),
	endCredentialsChanged: refusal(codec.ResultKicked),

	endCommand:          kicked(codec.ResultKicked, whyCommand),
	endCommandBanned:    kicked(codec.ResultBanned, whyCommand),
	endCommandSuspended: kicked(codec.ResultSuspended, whyCommand),
	endAddressBanned:    kicked(codec.ResultKicked, "address ban"),

	endSecondLogin:        replaced(codec.ResultReplaced, "second login"),
	endReconnect:          replaced(codec.ResultReplaced, "reconnect"),
	endReconnectElsewhere: replaced(codec.ResultReplaced, "reconnect elsewhere"),
	endSecondUpdate:       replaced(codec.ResultReplaced, "another update of the account"),

	endDirectoryLogin:         replaced(codec.ResultReplaced, ""),
	endDirectoryOnline:        replaced(codec.ResultAlreadyOnline, worlds.WhyOnline),
	endDirectoryCommand:       kicked(codec.ResultKicked, ""),
	endDirectoryCommandOnline: kicked(codec.ResultAlreadyOnline, worlds.WhyOnline),

	endIdle:    {word: lastKick, results: both(codec.ResultIdle), expired: true, repeat: true, close: codec.CloseLogic},
	endStopped: {word: lastKick, results: both(codec.ResultGoingAway), repeat: true, close: codec.CloseLogic},
	endDrained: {word: lastGoingAway, close: codec.CloseLogic},

	endUpdated:         {word: lastUpdate, close: codec.CloseLogic},
	endUpdateFailed:    {word: lastUpdate, signals: []SignalKind{SignalUpdateFailed}, close: codec.CloseLogic},
	endUpdateCancelled: {word: lastNone, close: codec.CloseLogic, signals: []SignalKind{SignalUpdateCancelled}},

	endOverload: {word: lastNone, repeat: true, close: codec.CloseOverload},
	endFault:    {word: lastNone, repeat: true, close: codec.CloseFault},
}

// directoryReason is why a session ends that the directory ends, by the directory's own
// word; all says that every login of the account ends and not an older one.
func directoryReason(why string, all bool) endReason {
	switch online := why == worlds.WhyOnline; {
	case online && all:
		return endDirectoryCommandOnline
	case online:
		return endDirectoryOnline
	case all:
		return endDirectoryCommand
	}
	return endDirectoryLogin
}

// end ends a session: it sends the last message, if there is one, and closes the
// connection behind it. The session leaves the table when the reactor says that the
// connection is closed.
func (c *Core) end(s *session, why endReason) { c.endSaying(s, why, endings[why].why) }

// endSaying is end with another text for the log.
func (c *Core) endSaying(s *session, why endReason, text string) {
	e := &endings[why]
	if s.state == StateLeaving && !e.repeat {
		return
	}
	if e.expired {
		c.counters.expired[s.state].Add(1)
	}
	if s.state == StateLeaving {
		c.timers.set(s, leavingLimit)
		c.effects.close(s.conn, e.close)
		return
	}
	for _, kind := range e.signals {
		c.signals.raise(Signal{Kind: kind, session: s, End: why, Why: text})
	}
	last := s.dialect().lastReply(c, s, e) // before the state changes: what is said depends on it
	c.become(s, StateLeaving)
	if !last || !c.ports.Out.SendLast(s.conn, &c.reply) {
		c.effects.close(s.conn, e.close)
	}
}

// endIfDraining ends a session if this server stops soon.
func (c *Core) endIfDraining(s *session) bool {
	if c.service.draining {
		c.end(s, endDrained)
	}
	return c.service.draining
}

// endConn ends the session of a connection, if it is there.
func (c *Core) endConn(conn codec.Conn, why endReason) {
	if s := c.sessions.get(conn); s != nil {
		c.end(s, why)
	}
}
