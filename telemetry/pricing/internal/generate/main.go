// Command generate turns the slim JSON of genai-prices into the price book that
// the package pricing embeds: what chat services are billed by, one model a line,
// in the source's order.
//
//	go run ./telemetry/pricing/internal/generate slim.json 2026-08-21 "where from" > telemetry/pricing/book.json
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

// run takes the file, the day of its data, and where it came from.
func run(args []string, out io.Writer) error {
	if len(args) != 3 {
		return errors.New("want a file, the day of its data as 2006-01-02, and its source")
	}
	file, date, source := args[0], args[1], args[2]
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		return fmt.Errorf("the day of the data: %w", err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var providers []slimProvider
	if err := json.Unmarshal(data, &providers); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return write(out, date, source, providers)
}
