// SPDX-License-Identifier: Apache-2.0

// A program with one kafka-go Reader in a group, for the recorder: reader NAME BROKER GROUP TOPIC,.. [SETTING=VALUE ..].
// It reads all the time and says "read TOPIC-PARTITION OFFSET" of each message. A line on standard input is an order: commit (what
// was read since the last one), close.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func configure(args []string) kafka.ReaderConfig {
	config := kafka.ReaderConfig{
		Brokers:     []string{args[1]},
		Dialer:      &kafka.Dialer{ClientID: args[0], Timeout: 10 * time.Second},
		GroupID:     args[2],
		GroupTopics: strings.Split(args[3], ","),
		StartOffset: kafka.FirstOffset,
	}
	for _, setting := range args[4:] {
		name, value, _ := strings.Cut(setting, "=")
		duration, err := time.ParseDuration(value)
		switch name {
		case "session_timeout":
			config.SessionTimeout = duration
		case "rebalance_timeout":
			config.RebalanceTimeout = duration
		case "commit_interval":
			config.CommitInterval = duration
		case "max_wait":
			config.MaxWait = duration
		case "watch_partition_changes":
			config.WatchPartitionChanges, err = value == "true", nil
		case "start":
			err = nil
			if value == "last" {
				config.StartOffset = kafka.LastOffset
			}
		case "balancer":
			err = nil
			if value == "roundrobin" {
				config.GroupBalancers = []kafka.GroupBalancer{kafka.RoundRobinGroupBalancer{}}
			}
		default:
			err = errors.New("no such setting: " + name)
		}
		fail(err)
	}
	return config
}

func word(err error) string {
	var kafkaError kafka.Error
	switch {
	case err == nil:
		return "OK"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
		return "CLOSED"
	case errors.As(err, &kafkaError):
		return strings.ToUpper(strings.ReplaceAll(kafkaError.Title(), " ", "_"))
	}
	return err.Error()
}

func main() {
	reader := kafka.NewReader(configure(os.Args[1:]))
	var lock sync.Mutex
	var pending []kafka.Message
	go func() {
		for {
			message, err := reader.FetchMessage(context.Background())
			if err != nil {
				return
			}
			lock.Lock()
			pending = append(pending, message)
			lock.Unlock()
			fmt.Printf("read %s-%d %d\n", message.Topic, message.Partition, message.Offset)
		}
	}()
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		switch order := orders.Text(); order {
		case "commit":
			lock.Lock()
			messages := pending
			pending = nil
			lock.Unlock()
			fmt.Printf("told commit -> %s\n", word(reader.CommitMessages(context.Background(), messages...)))
		case "close":
			fmt.Printf("told close -> %s\n", word(reader.Close()))
			return
		default:
			fail(errors.New("no such order: " + order))
		}
	}
}
