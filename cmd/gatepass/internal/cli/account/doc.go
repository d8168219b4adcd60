// Package account has the commands 'gatepass account': they add, show, ban, import and
// export accounts. They ask a running server through the control socket, or open the
// account store themselves when no server runs; package admin decides which.
package account
