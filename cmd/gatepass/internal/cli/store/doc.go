// Package store has the commands 'gatepass store': they check the account store for damage
// and save what can be read of a damaged one, while no server runs.
package store
