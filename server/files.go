package server

import (
	"os"

	"treq/server/config"
	"treq/telemetry/redact"
)

// FileFaults reads the files that settings name for prices, objectives, redaction and
// TLS as a start would, and gives what is wrong with each by the key that names it.
// It makes and changes nothing. None is an empty map.
func FileFaults(c config.Config) map[string]error {
	faults := map[string]error{}
	note := func(key string, err error) {
		if err != nil {
			faults[key] = err
		}
	}
	_, err := OpenPrices(c.Prices.File)
	note("prices.file", err)
	_, err = OpenObjectives(c.Objectives.File)
	note("objectives.file", err)
	if c.Redact.File != "" {
		_, err = redactRules(c.Redact)
		note("redact.file", err)
	}
	if c.TLS.On() {
		_, _, err = readTLS(c.TLS)
		note("tls.cert", err)
	}
	return faults
}

// redactRules gives the rules of the program that the settings name, with their file
// over them.
func redactRules(c config.Redact) (rules redact.Rules, err error) {
	if c.Rules == config.RedactBR {
		rules = redact.Brazil()
	}
	if c.File == "" {
		return rules, nil
	}
	data, err := os.ReadFile(c.File)
	if err != nil {
		return rules, err
	}
	return rules.With(c.File, data)
}
