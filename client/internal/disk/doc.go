// Package disk asks the operating system for two things: an advisory lock on an open file,
// and the free space of the file system under a folder.
package disk
