// Package meter is the journal's reader that counts. It takes every admitted
// record in order, lets package understand turn it into events, records them on
// the instruments, and answers for the totals.
//
// Its state is a checkpoint at a position: every few seconds, and at a clean
// stop, the totals, the open and remembered fragments, the values services
// reported and the admitted attribute values are written with the journal
// position they stand for. A meter that starts takes the newest checkpoint that
// reads whole and replays the journal from there, so the totals after a crash are
// the totals without it. Two generations are kept, and the journal keeps the
// segments back to the older one.
//
// One goroutine (Run) does all counting; everything else here is safe for
// concurrent use.
package meter
