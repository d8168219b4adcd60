// package loop has what the event loops of the load client and of the floor share: an
// epoll set, addresses in the kernel's form, and non-blocking socket calls that cost the
// Go scheduler nothing. It needs Linux.
package loop
