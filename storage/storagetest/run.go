package storagetest

import (
	"testing"

	"gatepass/storage"
)

// NewEngine returns an engine whose place holds no store yet. Opening it twice opens the
// same store.
type NewEngine func(testing.TB) storage.Engine

// Run tests that an engine does what package storage says. Each test has stores of its
// own.
func Run(t *testing.T, newEngine NewEngine) {
	for name, test := range map[string]func(*testing.T, NewEngine){
		"Create_ComesBackWhole":                      testCreateComesBackWhole,
		"Submit_InOrder":                             testSubmitInOrder,
		"SetFactors_ChangesNothingElse":              testSetFactorsChangesNothingElse,
		"List_GoesOnBehindAName":                     testListGoesOnBehindAName,
		"List_Limit":                                 testListLimit,
		"DeleteThenCreate_LeavesNoOldLogin":          testDeleteThenCreateLeavesNoOldLogin,
		"Get_BriefLeavesTheLoginsOut":                testGetBriefLeavesTheLoginsOut,
		"Logins":                                     testLogins,
		"AddressBans":                                testAddressBans,
		"Create_WithDevices":                         testCreateWithDevices,
		"Characters_SortedAndForgotten":              testCharactersSortedAndForgotten,
		"Characters_EveryWorld":                      testCharactersEveryWorld,
		"Characters_SurviveOtherWrites":              testCharactersSurviveOtherWrites,
		"Characters_LeaveTheCallersAccountAlone":     testCharactersLeaveTheCallersAccountAlone,
		"Characters_WhilePlayersLogIn":               testCharactersWhilePlayersLogIn,
		"Decoys_ComeBack":                            testDecoysComeBack,
		"SampleSalts":                                testSampleSalts,
		"Devices_ComeBackWhole":                      testDevicesComeBackWhole,
		"Devices_OfNamesThatBeginAlike":              testDevicesOfNamesThatBeginAlike,
		"Devices_WithinOneGroup":                     testDevicesWithinOneGroup,
		"Devices_GoWithThePassword":                  testDevicesGoWithThePassword,
		"AddDevice_SameDevice_IsReplaced":            testAddDeviceSameDeviceIsReplaced,
		"AddDevice_TooMany_TheOneUsedLongestAgoGoes": testAddDeviceTooManyTheOneUsedLongestAgoGoes,
		"AddDevice_ExpiredOnesGoFirst":               testAddDeviceExpiredOnesGoFirst,
		"AddDevice_Refused":                          testAddDeviceRefused,
		"AddDevice_AfterAChange_IsRefused":           testAddDeviceAfterAChangeIsRefused,
		"RemoveDevice_ByID":                          testRemoveDeviceByID,
		"RotateDevice_OneWins":                       testRotateDeviceOneWins,
		"Close_UnderLoad":                            testCloseUnderLoad,
		"Open_ReadOnly":                              testOpenReadOnly,
		"Open_Locked":                                testOpenLocked,
		"Serve_TellsHowItIs":                         testServeTellsHowItIs,
		"EachKindIsAnswered":                         testEachKindIsAnswered,
	} {
		t.Run(name, func(t *testing.T) { test(t, newEngine) })
	}
}

// MustOpen opens a store and a client to it, which the test closes.
func MustOpen(t testing.TB, e storage.Engine) *storage.Client {
	t.Helper()
	c, err := storage.OpenClient(e, storage.OpenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}
