//go:build !linux

package understand

// largeTable makes a zeroed table for a horizon.
func (h *Horizon) largeTable(slots int) []uint64 { return make([]uint64, slots) }

// emptied has nothing to give back of what the garbage collector owns.
func emptied(_ []byte, from, _ int) int { return from }

func unmap([]byte) {}
