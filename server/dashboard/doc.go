// Package dashboard serves the web page, which is embedded: no request of it goes
// to any other host, and it needs no build step.
//
// Its sources are in web (Preact, signals, uPlot, TypeScript); its built form in
// dist is committed, and a test builds it again and compares. The page reads the
// documents that everybody else reads, with the reader's token where one is
// needed.
package dashboard
