// package progress shows how far a benchmark has come: as a bar on a terminal, as lines
// elsewhere.
package progress
