package history

// pasts remember samplings that were asked for.
type pasts struct{}
