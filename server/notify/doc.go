// Package notify delivers alerts to people and programs. A Dispatcher takes over
// what the evaluation tells it, keeps it in a log on disk until every receiver was
// told, and tells each receiver in its own goroutine: in groups, again after a
// while, later in quiet hours, and as often as it takes.
//
// What is promised: every firing and every end of one reaches every receiver that
// the routes name at least once, also after a kill or a power cut, and under the
// same idempotency key when it comes twice. A receiver that is down, slow or wrong
// never delays another.
package notify
