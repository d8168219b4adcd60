// Package patch has the commands 'gatepass patch': they edit and check the catalogue of
// builds and patches in the data folder. Package patches owns the catalogue; this package
// reads flags, explains errors and prints what a server would tell clients.
package patch
