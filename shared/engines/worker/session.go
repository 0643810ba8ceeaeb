package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/vmihailenco/msgpack/v5"
)

const maxRequest = 512 << 20

// session is the conversation with the one client.
type session struct {
	in        <-chan []byte
	out       *bufio.Writer
	maxOutput int
}

type request struct {
	_msgpack   struct{} `msgpack:",as_array"`
	Op         string
	Args       msgpack.RawMessage
	CPUSeconds int
}

func newSession(in io.Reader, out io.Writer, maxOutput int) *session {
	frames := make(chan []byte)
	go readFrames(in, frames)
	return &session{in: frames, out: bufio.NewWriterSize(out, 1<<16), maxOutput: maxOutput}
}

// readFrames reads beside the work, so that a client's end ends the worker even in the middle of a request.
func readFrames(in io.Reader, frames chan<- []byte) {
	reader := bufio.NewReaderSize(in, 1<<16)
	var head [4]byte
	for {
		if _, err := io.ReadFull(reader, head[:]); err != nil {
			os.Exit(0)
		}
		size := binary.BigEndian.Uint32(head[:])
		if size > maxRequest {
			os.Exit(4)
		}
		frame := make([]byte, size)
		if _, err := io.ReadFull(reader, frame); err != nil {
			os.Exit(0)
		}
		frames <- frame
	}
}

func (s *session) serve() {
	for frame := range s.in {
		var r request
		if err := msgpack.Unmarshal(frame, &r); err != nil {
			s.fail(failed("BadRequest", "the request can't be read: %v", err))
			continue
		}
		limitCPU(r.CPUSeconds)
		s.answer(&r)
	}
}

func (s *session) answer(r *request) {
	result, err := s.perform(r)
	if err != nil {
		s.fail(err)
		return
	}
	frame, err := encode([]any{"done", result})
	if err == nil && len(frame) > s.maxOutput {
		err = failed("OutputTooLarge", "the result is %d bytes, allowed are %d", len(frame), s.maxOutput)
	}
	if err != nil {
		s.fail(err)
		return
	}
	s.send(frame)
}

// perform turns a library's panic into a failure of this one request.
func (s *session) perform(r *request) (result any, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = failed("EngineBug", "%s panicked: %.500s", r.Op, fmt.Sprint(problem))
		}
	}()
	return run(r.Op, &call{args: r.Args, files: newFiles(s)})
}

func (s *session) fail(err error) {
	f := asFailure(err)
	frame, encodeErr := encode([]any{"fail", f.reason, clip(f.message), f.details})
	if encodeErr != nil {
		frame, _ = encode([]any{"fail", f.reason, clip(f.message), nil})
	}
	s.send(frame)
}

func (s *session) send(frame []byte) {
	var head [4]byte
	binary.BigEndian.PutUint32(head[:], uint32(len(frame)))
	s.out.Write(head[:])
	s.out.Write(frame)
	if s.out.Flush() != nil {
		os.Exit(0)
	}
}

// ask puts a question to the client in the middle of a request; there is one answer a path.
func (s *session) ask(kind string, paths []string) ([]msgpack.RawMessage, error) {
	frame, err := encode([]any{"ask", kind, paths})
	if err != nil {
		return nil, err
	}
	s.send(frame)
	var answers []msgpack.RawMessage
	if err := msgpack.Unmarshal(<-s.in, &answers); err != nil || len(answers) != len(paths) {
		return nil, failed("FilesUnavailable", "the files that were asked for could not be read")
	}
	return answers, nil
}

func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := msgpack.NewEncoder(&buffer)
	encoder.UseCompactInts(true)
	encoder.SetSortMapKeys(true)
	err := encoder.Encode(value)
	return buffer.Bytes(), err
}
