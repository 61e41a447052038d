// Package demo plays the backend of a RAG chat: it makes up questions, searches,
// embeddings and model calls, and sends them over OTLP with the exporters of the
// OpenTelemetry SDK, as a real service would. Nothing is measured in it that was
// not made up, except the metrics of its own process.
//
// The same seed gives the same chats in the same order; only their times differ.
package demo
