package e2e

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"treq/test/e2e/e2etest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	e2etest.CloseIdle()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			println(err.Error())
			code = 1
		}
	}
	os.Exit(code)
}

// quick makes fragments close soon after their SERVER span came, so that tests
// need not wait for what a production service waits for.
const quick = "chats:\n  close:\n    root: 300ms\n"
