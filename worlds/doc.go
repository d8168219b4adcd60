// Package worlds knows which game worlds there are and what a client is shown
// of them. For now they come from the configuration; they will register
// themselves.
//
// A List belongs to one goroutine, the logic's. Its encodings are made once a
// change and client build, and shared by all who ask:
//
//	list := worlds.NewList(worlds.EncodeGrunt)
//	list.Set(configured)
//	frame, err := list.Frame(12340)
package worlds
