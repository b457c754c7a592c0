// Decides the generated requests in process, with OPA or with cel-go: go_peer opa|cel DIRECTORY.
// scripts/bench-peers says what it reads and answers.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// request is one line of requests.tsv.
type request struct {
	agent, department string
	roles             []string
	action            string
	sensitivity       int64
	kind              string
}

// engine decides request i; whatever depends on the request alone was built before.
type engine func(i int) bool

func demand(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "go_peer:", err)
		os.Exit(1)
	}
}

func read(path string) string {
	text, err := os.ReadFile(path)
	demand(err)
	return string(text)
}

func readRequests(path string) []request {
	var out []request
	for _, line := range strings.Split(strings.TrimSpace(read(path)), "\n") {
		column := strings.Split(line, "\t")
		sensitivity, err := strconv.ParseInt(column[4], 10, 64)
		demand(err)
		out = append(out, request{column[0], column[1], strings.Split(column[2], ","), column[3], sensitivity, column[5]})
	}
	return out
}

func main() {
	if len(os.Args) != 3 {
		demand(fmt.Errorf("usage: go_peer opa|cel DIRECTORY"))
	}
	directory := os.Args[2]
	requests := readRequests(filepath.Join(directory, "requests.tsv"))
	prepare := map[string]func(string, []request) engine{"opa": prepareOpa, "cel": prepareCel}[os.Args[1]]
	start := time.Now()
	decide := prepare(directory, requests)
	decide(0)
	fmt.Printf("ready %.1f\n", time.Since(start).Seconds()*1e3)

	next := 0
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		if commands.Text() == "check" {
			answers := make([]byte, len(requests))
			for i := range requests {
				answers[i] = 'D'
				if decide(i) {
					answers[i] = 'A'
				}
			}
			fmt.Println(string(answers))
			continue
		}
		var seconds float64
		var batch int
		_, err := fmt.Sscanf(commands.Text(), "round %f %d", &seconds, &batch)
		demand(err)
		var samples []float64
		for round := time.Now(); len(samples) == 0 || time.Since(round).Seconds() < seconds; {
			start := time.Now()
			for i := 0; i < batch; i++ {
				decide(next)
				next = (next + 1) % len(requests)
			}
			samples = append(samples, float64(time.Since(start).Nanoseconds())/float64(batch))
		}
		sort.Float64s(samples)
		fmt.Printf("%.1f\n", samples[len(samples)/2])
	}
}
