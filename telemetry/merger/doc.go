// Package merger is the log's reader that makes spans of runs. LangSmith's SDKs
// tell of a run in pieces: its beginning, later a change that holds its end, and
// both were acknowledged when they came. The merger joins the pieces by the run's
// id, in whatever order they come, and when a run has ended appends it to the log
// as a span, from where it is read like every other.
//
// A run becomes a span exactly once, whenever the process dies: the merger's state
// is a checkpoint at a position of the log, what follows it is read again at a
// start, and what was appended behind it by then is not appended again.
//
// Time is the log's: a record has the time of its admission, and before it is read
// all that was due by then is done. So reading again gives what was given before.
package merger
