// Package native turns the bytes of gatepass's own protocol into codec.Message and
// codec.Reply into bytes, for login servers and for the gates of worlds.
package native
