// package usage reads how much CPU time and memory processes have used, from /proc.
package usage
