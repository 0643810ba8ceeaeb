//go:build !linux || !(amd64 || arm64)

package main

import (
	"runtime"
	"runtime/debug"
)

// confine can only ask Go's own memory manager for restraint here: no system call is refused.
func confine(memoryMB, threads int) error {
	debug.SetMemoryLimit(int64(memoryMB) << 20 / 10 * 8)
	runtime.GOMAXPROCS(threads)
	return nil
}

func limitCPU(int) {}
