package export

import "treq/telemetry/journal"

// Cursor is what a sink needs of a journal cursor; *journal.Cursor is one, and
// documents the methods. A sink uses a cursor from one goroutine at a time.
type Cursor interface {
	// TryNext gives the next durable record, which the caller releases; nil
	// without an error at the tail.
	TryNext() (*journal.Record, error)
	// Wake gives a channel that holds one signal when there may be more to read.
	Wake() <-chan struct{}
	// Position is where the next record is read.
	Position() journal.Position
	// Commit tells what the journal need not keep for this cursor.
	Commit(journal.Position)
	// Expired counts what retention took before the cursor read it; of what was
	// gone before the cursor was made only the bytes are known.
	Expired() (records, items, bytes uint64)
	// Damaged counts what the cursor skipped because the disk had altered it.
	Damaged() (records, items uint64)
	Close()
}

// Open makes a cursor that is not essential at a position; a position before
// the oldest kept record means the oldest. It is called from New.
type Open func(name string, from journal.Position) (Cursor, error)
