// Package feedback is the one door for judgements of runs, whoever sends them: a
// front end, a server, LangSmith's clients, a page with a token. It reads their
// forms, keeps a judgement in the journal and answers when it counts; what becomes
// of it is the business of those who read the journal.
package feedback
