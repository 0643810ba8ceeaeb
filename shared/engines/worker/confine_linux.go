//go:build linux && (amd64 || arm64)

package main

import (
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	addressSlackMB = 3072 // Go reserves addresses that it never uses
	maxWrittenFile = 1 << 20
)

// confine limits memory and takes away files, sockets and programs, before the first request is read.
func confine(memoryMB, threads int) error {
	memory := uint64(memoryMB) << 20
	debug.SetMemoryLimit(int64(memory) / 10 * 8)
	runtime.GOMAXPROCS(threads)
	limits := map[int]uint64{
		unix.RLIMIT_DATA:  memory,
		unix.RLIMIT_AS:    memory + addressSlackMB<<20,
		unix.RLIMIT_CORE:  0,
		unix.RLIMIT_FSIZE: maxWrittenFile,
	}
	for which, limit := range limits {
		if err := lower(which, limit); err != nil {
			return err
		}
	}
	go endOnCPULimit()
	return refuseSystemCalls()
}

func lower(which int, limit uint64) error {
	var now unix.Rlimit
	if err := unix.Getrlimit(which, &now); err != nil {
		return err
	}
	limit = min(limit, now.Max)
	return unix.Setrlimit(which, &unix.Rlimit{Cur: limit, Max: limit})
}

// limitCPU allows so much processor time from now on: a second guard for when the client can't kill.
func limitCPU(seconds int) {
	var used unix.Rusage
	var now unix.Rlimit
	if seconds <= 0 || unix.Getrusage(unix.RUSAGE_SELF, &used) != nil || unix.Getrlimit(unix.RLIMIT_CPU, &now) != nil {
		return
	}
	spent := uint64(used.Utime.Sec + used.Stime.Sec)
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: min(spent+uint64(seconds)+1, now.Max), Max: now.Max})
}

func endOnCPULimit() {
	over := make(chan os.Signal, 1)
	signal.Notify(over, unix.SIGXCPU)
	<-over
	os.Exit(3)
}

// refuseSystemCalls installs a seccomp filter on every thread: the named calls fail with EPERM from then on.
func refuseSystemCalls() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := filter(refused)
	description := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&description)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return errno
	}
	return nil
}

func filter(calls []uint32) []unix.SockFilter {
	const (
		offsetOfNumber       = 0
		offsetOfArchitecture = 4
		firstOfX32           = 0x40000000
	)
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	leave := func(action uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
	}
	program := []unix.SockFilter{
		load(offsetOfArchitecture),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: architecture},
		leave(unix.SECCOMP_RET_KILL_PROCESS),
		load(offsetOfNumber),
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, Jf: 1, K: firstOfX32},
		leave(unix.SECCOMP_RET_KILL_PROCESS),
	}
	for _, call := range calls {
		program = append(program,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
			leave(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
	}
	return append(program, leave(unix.SECCOMP_RET_ALLOW))
}

// refused: sockets, files, programs, and the ways around.
var refused = append(oldCalls,
	unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_SENDTO, unix.SYS_SENDMSG,
	unix.SYS_OPENAT, unix.SYS_OPENAT2, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_MKDIRAT, unix.SYS_UNLINKAT, unix.SYS_RENAMEAT2,
	unix.SYS_LINKAT, unix.SYS_SYMLINKAT, unix.SYS_FCHMODAT, unix.SYS_FCHOWNAT, unix.SYS_TRUNCATE, unix.SYS_MKNODAT,
	unix.SYS_EXECVE, unix.SYS_EXECVEAT, unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV,
	unix.SYS_IO_URING_SETUP, unix.SYS_BPF, unix.SYS_MOUNT, unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_PIDFD_GETFD,
	unix.SYS_MEMFD_CREATE, unix.SYS_USERFAULTFD, unix.SYS_KEYCTL, unix.SYS_SHMGET, unix.SYS_MSGGET,
)
