package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"treq/test/e2e/e2etest"
)

// broker is a process that speaks Kafka's protocol.
type broker struct {
	t         *testing.T
	addr, dir string
	program   string
	cmd       *exec.Cmd
	log       strings.Builder
}

func startBroker(t *testing.T) *broker {
	t.Helper()
	root, err := e2etest.Root()
	if err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, addr: freePort(t), dir: e2etest.DataDir(t), program: filepath.Join(t.TempDir(), "broker")}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", b.program, ".")
	build.Dir = filepath.Join(root, "test", "e2e", "broker")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the broker: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		b.kill()
		if t.Failed() {
			t.Logf("the broker logged:\n%s", b.log.String())
		}
	})
	b.start()
	return b
}

func (b *broker) start() {
	b.t.Helper()
	_, port, err := net.SplitHostPort(b.addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.cmd = exec.Command(b.program, port, b.dir, "treq_spans", "treq_logs", "treq_metrics")
	b.cmd.Stdout, b.cmd.Stderr = &b.log, &b.log
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	e2etest.Eventually(b.t, settled, func() error {
		conn, err := net.Dial("tcp", b.addr)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
}

// kill ends it as a crash does, and waits until it is gone.
func (b *broker) kill() {
	_ = b.cmd.Process.Kill()
	_ = b.cmd.Wait()
}

// TestGatewayKafka puts a broker between the gateway and the replicas, with the files
// that scale-out writes for it, and kills each of the three between which spans
// wait: nothing that was acknowledged is lost, nothing is counted twice.
func TestGatewayKafka(t *testing.T) {
	t.Parallel()
	kafka := startBroker(t)
	top, o := startTopology(t, 2, kafka.addr, patient), newOracle(t)
	acknowledged, stop := top.load(o)
	defer stop()
	more := func(n int64) {
		t.Helper()
		want := acknowledged.Load() + n
		e2etest.Eventually(t, time.Minute, func() error {
			if got := acknowledged.Load(); got < want {
				return fmt.Errorf("the gateway took %d requests, want %d", got, want)
			}
			return nil
		})
	}
	more(20)
	kafka.kill()
	more(20)
	kafka.start()
	more(10)
	top.reader.kill()
	more(20)
	top.reader.start()
	more(10)
	kafka.kill()
	more(5)
	top.gateway.kill()
	top.gateway.start()
	kafka.start()
	if err := top.replicas[0].Kill(); err != nil {
		t.Fatal(err)
	}
	more(20)
	top.replicas[0].Again()
	stop()
	o.same("over Kafka", top.replicas...)
	for i, one := range o.sent {
		if i%9 > 0 {
			continue
		}
		if owners := top.owners(one); len(owners) != 1 {
			t.Errorf("trace %x is at %v, want one replica", one.Spans[0].TraceId, owners)
		}
	}
}
