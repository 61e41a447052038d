// Package judgement is what somebody said about a run: a thumb, a score, a
// category, a comment. It has the one form in which a judgement stands in the
// journal, a log record treq.feedback, so that the door that takes it, the sinks
// that are told of it and the page that shows it read the same.
//
// What a judgement counts for is decided where log records are understood.
package judgement
