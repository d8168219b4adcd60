package logic

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// The arrays of Stats, each with the names of its indexes. An index that stands for no
// event has none.
type (
	kindCounts    [codec.KindCount]uint64
	stateGauges   [StateCount]int64
	stateCounts   [StateCount]uint64
	signalCounts  [SignalKindCount]uint64
	resultCounts  [codec.ResultCount]uint64
	outcomeCounts [worlds.OutcomeKindCount]uint64
	selectCounts  [codec.SelectReasonCount]uint64
	updateCounts  [codec.TransferEndCount]uint64
)

func (kindCounts) Label(i int) string {
	return from(i, int(codec.KindOpened), codec.Kind(i).String())
}
func (stateGauges) Label(i int) string  { return StateID(i).String() }
func (stateCounts) Label(i int) string  { return StateID(i).String() }
func (signalCounts) Label(i int) string { return SignalKind(i).String() }
func (resultCounts) Label(i int) string {
	return from(i, int(codec.ResultOK)+1, codec.Result(i).String())
}
func (outcomeCounts) Label(i int) string {
	return from(i, int(worlds.OutcomeTaken), worlds.OutcomeKind(i).String())
}
func (selectCounts) Label(i int) string {
	return from(i, int(codec.SelectUnknown), codec.SelectReason(i).String())
}
func (updateCounts) Label(i int) string {
	return from(i, int(codec.TransferDone)+1, codec.TransferEnd(i).String())
}

// from returns the name of an index from first on, and nothing below it.
func from(i, first int, name string) string {
	if i < first {
		return ""
	}
	return name
}
