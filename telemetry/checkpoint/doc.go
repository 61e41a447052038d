// Package checkpoint keeps the state of a reader of the journal in two files that are
// written in turn: while one is written the other is whole. A state stands at a
// position; what follows that in the journal is read again at a start. What the state
// says is its owner's matter.
//
// A file is eight bytes of magic, the format's version in 4, the position in 8, the
// state, and the CRC-32C of all of it in 4, little-endian. It is written beside its
// place, synced, and renamed into it, so that a power cut leaves the old one or the new
// one. One that is cut short, altered or not readable by its owner is passed over for
// the other; one of a later version is refused, since going on from a state that is not
// understood would be worse than not starting.
package checkpoint
