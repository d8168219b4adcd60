package storage

import "fmt"

var opNames = [...]string{
	OpGet: "get", OpCreate: "create", OpSetVerifier: "set-verifier", OpSetFactors: "set-factors", OpDelete: "delete",
	OpBan: "ban", OpUnban: "unban", OpBanAddress: "ban-address", OpUnbanAddress: "unban-address",
	OpAddressBans: "address-bans", OpList: "list", OpLogin: "login", OpLoginFailed: "login-failed",
	OpCharacters: "characters", OpDevice: "device", OpAddDevice: "add-device", OpRotateDevice: "rotate-device",
	OpRemoveDevice: "remove-device", OpDevices: "devices",
	OpDecoys: "decoys", OpSetDecoys: "set-decoys", OpSampleSalts: "sample-salts",
}

// OpKinds returns every kind.
func OpKinds() (kinds []OpKind) {
	for k := OpGet; int(k) < len(opNames); k++ {
		kinds = append(kinds, k)
	}
	return kinds
}

// String returns the name of the kind, for logs.
func (k OpKind) String() string {
	if int(k) < len(opNames) && opNames[k] != "" {
		return opNames[k]
	}
	return fmt.Sprintf("operation(%d)", uint8(k))
}
