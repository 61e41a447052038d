// Package mirror tells sinks of judgements of runs, each in the words of its own
// API: LangSmith's feedback, Langfuse's scores, Phoenix's annotations. It is a reader
// of the journal like the sinks for traces, and no part of them: each sink has a
// cursor, an outbox and a state on disk here, so that a judgement that a backend does
// not want yet holds up neither spans nor another backend.
//
// Delivery is at least once. Every judgement carries an id of its own, by which the
// backend knows it again; a changed vote takes the place of the one before. What
// waits is bounded: when an outbox is full the rest waits in the journal.
package mirror
