package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"treq/telemetry/journal"
)

const (
	childDir   = "TREQ_JOURNAL_TEST_DIR"
	childFirst = "TREQ_JOURNAL_TEST_FIRST"
)

// child appends samples, by four clients at once, and tells what it does line by
// line, until it is killed.
func child(dir string) int {
	first, err := strconv.ParseUint(os.Getenv(childFirst), 10, 64)
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("starting")
	j, err := journal.Open(context.Background(), dir, journal.Options{
		SegmentBytes: 32 << 10, LockWait: 10 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("open")
	var wg sync.WaitGroup
	for c := range uint64(4) {
		wg.Go(func() {
			for i := first + c; ; i += 4 {
				if _, err := j.Append(context.Background(), sample(i)); err != nil {
					fmt.Println("error", err)
					return
				}
				// One write a line: the pipe keeps lines whole.
				fmt.Println("ack", i)
			}
		})
	}
	wg.Wait()
	return 1
}

// A process that appends is killed at some line it tells, some of them while it
// starts. What it acknowledged is there in the end, unaltered and in order.
func TestKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	acked := map[uint64]bool{}
	const lives, stride = 30, 100_000
	for life := range uint64(lives) {
		lines := 1
		if life%3 != 0 {
			lines = 3 + rng.IntN(150)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, childFirst+"="+strconv.FormatUint(life*stride, 10))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		scan := bufio.NewScanner(out)
		for n := 1; scan.Scan(); n++ {
			note(t, acked, scan.Text())
			if n == lines {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := io.Copy(io.Discard, out); err != nil && !strings.Contains(err.Error(), "closed") {
			t.Fatal(err)
		}
		// It was killed: that is the error.
		_ = cmd.Wait()
	}
	j := open(t, dir, journal.Options{LockWait: 10 * time.Second})
	got := readAll(t, cursor(t, j, "all", 0, false))
	for i := range acked {
		if _, ok := got[i]; !ok {
			t.Errorf("sample %d was acknowledged and is lost", i)
		}
	}
	for i := range got {
		if i >= lives*stride {
			t.Errorf("sample %d was never sent", i)
		}
	}
	st := j.Stats()
	t.Logf("%d acknowledged, %d found, %d bytes torn, %d segments", len(acked), len(got), st.TornBytes, st.Segments)
	if len(acked) == 0 || st.Damaged > 0 {
		t.Errorf("%d acknowledged, %d damaged", len(acked), st.Damaged)
	}
}

func note(t *testing.T, acked map[uint64]bool, line string) {
	t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "starting", "open":
	case "ack":
		i, err := strconv.ParseUint(rest, 10, 64)
		if err != nil {
			t.Fatalf("line %q", line)
		}
		acked[i] = true
	default:
		t.Fatalf("child says %q", line)
	}
}
