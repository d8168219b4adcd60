// package players makes the accounts that the load client uses: plain ones for the grunt
// protocol (Account), and accounts with a device and a token for the native protocol
// (Native). It reads and writes them in the formats of 'gatepass account import'.
package players
