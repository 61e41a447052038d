// Package redact takes out of telemetry what the law or its user wants in no log:
// personal numbers, addresses, telephone numbers, cards and keys, and if wanted all
// that people and models wrote. Nothing is redacted unless rules say so.
//
// A [Redactor] works on encoded OTLP requests, and on the JSON of LangSmith's run
// protocol, without decoding them. It looks at eight bytes at a time for what numbers,
// keys and addresses are made of, reads the structure only where it stops, and
// rewrites only what it found: a request without any comes back as the same slice.
// Text is searched wherever it stands: in attributes of every level, in arrays and
// maps, in JSON within text, in names and messages, in bodies of logs.
//
// What spans are joined, priced and counted by is never touched
// ([semconv.Identity]), and what takes a place is never taken for a number again, so
// that redacting twice is redacting once.
//
// # What is found
//
// CPF and CNPJ, the latter of digits and of letters, are found bare and formatted,
// with check digits that hold; cards with the ranges of their networks and their
// check digit; telephone numbers of Brazil's plan with their area code, and those of
// any country with a plus in front; addresses with a domain; keys and tokens by the
// beginnings that their issuers gave them; passwords in URLs; private keys. Digits
// behind a decimal point are no number of anybody's. Numbers that are typed as
// numbers are kept: name the attribute in Rules.Fields.
package redact
