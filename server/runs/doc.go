// Package runs shows single runs: it finds the spans of one trace in the journal
// by any id that callers have for it, and answers with the run as a tree
// (docs/api.md, sections 2 and 5).
//
// The journal is the only store. What is kept in memory is an index of bounded
// size from ids to the positions of records, fed by a cursor of its own at the
// journal's tail. It is a reader like the others: nobody waits for it, and what
// it has not seen or has let go is looked for in the journal itself for a bounded
// time. Beside it stand rows of what lists show, read within a budget: what a run
// used and cost is what an engine like the meter's makes of it. After a start both
// are made anew behind the doors, newest first.
package runs
