// Broker is what end-to-end tests put in Kafka's place: one node that speaks its
// protocol and keeps what it acknowledged in a directory, over a kill too. It is a
// module of its own, so that its client's packages are none of the product's.
//
//	broker PORT DIRECTORY TOPIC...
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// partitions of every topic, so that one trace's place among them matters.
const partitions = 3

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("usage: broker PORT DIRECTORY TOPIC...")
	}
	port, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(partitions, args[2:]...),
		kfake.DataDir(args[1]), kfake.SyncWrites(),
	)
	if err != nil {
		return err
	}
	fmt.Println("listening on", cluster.ListenAddrs())
	<-stop
	cluster.Close()
	return nil
}
