package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// between is how long an asker pauses behind an answer.
const between = 10 * time.Millisecond

// askMeanwhile asks for a document a hundred times a second until the function it
// returns is called, which gives the p99 of the answers in ms. It asks from a
// process of its own: in this one the answers would wait behind what makes the load.
func askMeanwhile(url string) (finish func() (float64, error), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	asker, err := launch(self, []string{"-ask", url}, nil)
	if err != nil {
		return nil, err
	}
	return func() (float64, error) {
		early := asker.ended()
		if err := asker.kill(); err != nil {
			return 0, err
		}
		if early {
			return 0, fmt.Errorf("the asker ended: %s", asker.log())
		}
		return askedP99(asker.log())
	}, nil
}

// askedP99 reads what ask printed; the last line may be cut off.
func askedP99(printed string) (float64, error) {
	var answers result
	for line := range strings.Lines(printed) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the asker printed %q", line)
		}
		answers.latencies = append(answers.latencies, time.Duration(ns))
	}
	return ms(answers.quantile(0.99)), nil
}

// ask prints how many nanoseconds each answer took, a line each, until it is killed
// or an answer is not 200.
func ask(url string, to io.Writer) error {
	for {
		began := time.Now()
		response, err := polls.Get(url)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		took := time.Since(began)
		_ = response.Body.Close()
		if err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, response.Status)
		}
		if _, err := fmt.Fprintln(to, took.Nanoseconds()); err != nil {
			return err
		}
		time.Sleep(between)
	}
}
