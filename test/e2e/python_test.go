package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"treq/test/e2e/e2etest"
)

// perChat is how many measurements one question of chat.py gives.
const perChat = 3

// TestPythonChatDown asks a chat whose telemetry is down, and again once it is back:
// every question is answered, what was lost is counted and logged once, the rest arrives.
func TestPythonChatDown(t *testing.T) {
	t.Parallel()
	s := e2etest.Start(t, e2etest.Spec{})
	c := startChat(t, s.URL(""), "direct", "ANSWER_WITHIN=60")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	c.ask(5)
	e2etest.Eventually(t, settled, func() error {
		if n := c.dropped(); n != 5*perChat {
			return fmt.Errorf("given up: %d", n)
		}
		return nil
	})
	if err := s.Relaunch(); err != nil {
		t.Fatal(err)
	}
	if err := s.AwaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.ask(4)
	wantSums(t, s, "", map[string]float64{"chat.total_requests": 4, "rag.total_searches": 4, "llm.total_calls": 4})
	if n := c.stop(); n != 5*perChat {
		t.Errorf("given up in the end: %d", n)
	}
	c.warned(1)
}

// TestPythonChatHeld holds back what the telemetry answers until the chat has
// answered: the chat cannot have waited for it. What finds no room is dropped, and
// all that was in the queue is counted in the end.
func TestPythonChatHeld(t *testing.T) {
	t.Parallel()
	const room = 50
	s := e2etest.Start(t, e2etest.Spec{})
	g := startGate(t, s)
	c := startChat(t, g.URL, "direct", "ANSWER_WITHIN=60", fmt.Sprint("ROOM=", room))
	c.ask(1)
	for range 4 { // Slow: one answer for each question, given after it.
		<-g.arrived
		c.ask(1)
		g.pass <- struct{}{}
	}
	<-g.arrived
	// The gate has the fifth measurement, and the queue the other ten.
	const chats = 5 + 40
	c.ask(chats - 5)
	if dropped := c.dropped(); dropped != perChat*chats-5-room {
		t.Errorf("%d of %d dropped", dropped, perChat*chats)
	}
	close(g.pass)
	go func() {
		for {
			select {
			case <-g.arrived:
			case <-t.Context().Done():
				return
			}
		}
	}()
	const sent = 5 + room
	wantSums(t, s, "", map[string]float64{"rag.total_searches": (sent + 2) / perChat, "llm.total_calls": (sent + 1) / perChat, "chat.total_requests": sent / perChat})
	if dropped := c.stop(); dropped != perChat*chats-sent {
		t.Errorf("%d dropped in the end", dropped)
	}
	c.warned(1)
}

// TestPythonChatMute has nobody answer at all: the chat answers, and ends while its
// connection is still held.
func TestPythonChatMute(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"direct", "traced"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			taken := make(chan net.Conn, 64)
			go func() {
				defer close(taken)
				for {
					connection, err := l.Accept()
					if err != nil {
						return
					}
					taken <- connection
				}
			}()
			defer func() { // Only once the chat is gone.
				_ = l.Close()
				for connection := range taken {
					_ = connection.Close()
				}
			}()
			c := startChat(t, "http://"+l.Addr().String(), kind, "OTEL_EXPORTER_OTLP_TIMEOUT=1", "OTEL_BSP_SCHEDULE_DELAY=1")
			c.ask(1)
			held := <-taken
			defer held.Close()
			c.ask(20)
			if dropped := c.stop(); kind == "direct" && dropped != perChat*c.asked {
				t.Errorf("%d of %d dropped", dropped, perChat*c.asked)
			}
		})
	}
}

// TestPythonChatTraced is TestPythonChatHeld for OpenTelemetry's SDK, whose batches
// and queue are made small.
func TestPythonChatTraced(t *testing.T) {
	t.Parallel()
	const queue, batch = 64, 16
	s := e2etest.Start(t, e2etest.Spec{})
	g := startGate(t, s)
	c := startChat(t, g.URL, "traced", "OTEL_EXPORTER_OTLP_TIMEOUT=60", "OTEL_BSP_SCHEDULE_DELAY=1",
		fmt.Sprint("OTEL_BSP_MAX_QUEUE_SIZE=", queue), fmt.Sprint("OTEL_BSP_MAX_EXPORT_BATCH_SIZE=", batch))
	c.ask(1)
	spans := <-g.arrived
	c.ask(100)
	close(g.pass)
	ended := make(chan struct{})
	go func() {
		c.stop()
		close(ended)
	}()
	for open := true; open; {
		select {
		case n := <-g.arrived:
			spans += n
		case <-ended:
			open = false
		}
	}
	if spans <= queue || spans > queue+batch {
		t.Errorf("%d spans came of a queue of %d and a batch of %d", spans, queue, batch)
	}
	if log := c.log.String(); !strings.Contains(log, "Queue full") {
		t.Errorf("nothing tells of what was lost: %s", log)
	}
}
