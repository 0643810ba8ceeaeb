// The engines worker: Go's own template, expression and manifest libraries behind one pipe.
//
// In: length-prefixed msgpack requests on stdin, one at a time. Out: one reply each on stdout; while a request is worked
// on, questions for files may come first. It starts with an empty environment, limits itself before it reads anything,
// never opens a file or a socket (the kernel refuses both on Linux), and ends when stdin closes.
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"

	"k8s.io/klog/v2"
)

func main() {
	memory := flag.Int("memory-mb", 1024, "memory that one process may use")
	output := flag.Int("max-output-mb", 64, "size of one reply")
	threads := flag.Int("threads", 2, "threads that run Go code at once")
	flag.Parse()
	replies := os.Stdout
	silence()
	if err := confine(*memory, *threads); err != nil {
		panic(fmt.Sprint("the worker could not confine itself: ", err))
	}
	s := newSession(os.Stdin, replies, *output<<20)
	s.serve()
}

// silence keeps libraries from writing between the frames, and their warnings from filling up stderr, which is for what
// Go itself says in a crash.
func silence() {
	os.Stdout, os.Stderr = nil, nil
	log.SetOutput(io.Discard)
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	debug.SetTraceback("none")
}
