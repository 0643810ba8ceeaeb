package main

import (
	"bytes"

	"github.com/vmihailenco/msgpack/v5"
)

// call is one request: what was given, and the way to the files.
type call struct {
	args  msgpack.RawMessage
	files *files
}

type operation func(*call) (any, error)

// operations is everything that can be asked for, filled by the file of each engine.
var operations = map[string]operation{}

func init() {
	operations["ping"] = func(*call) (any, error) { return "pong", nil }
	operations["versions"] = func(*call) (any, error) { return linkedVersions(), nil }
	operations["batch"] = batch
}

// on registers an operation whose arguments are of type A.
func on[A any](name string, do func(*A, *files) (any, error)) {
	operations[name] = func(c *call) (any, error) {
		var args A
		if err := decode(c.args, &args); err != nil {
			return nil, failed("BadArguments", "%s: %v", name, err)
		}
		return do(&args, c.files)
	}
}

func run(name string, c *call) (any, error) {
	do, known := operations[name]
	if !known {
		return nil, failed("UnknownOperation", "there is no operation %q", name)
	}
	return do(c)
}

type batchItem struct {
	_msgpack struct{} `msgpack:",as_array"`
	Op       string
	Args     msgpack.RawMessage
}

// batch performs several operations; each answers [true, result] or [false, reason, message, details].
func batch(c *call) (any, error) {
	var items []batchItem
	if err := decode(c.args, &items); err != nil {
		return nil, failed("BadArguments", "batch: %v", err)
	}
	answers := make([]any, len(items))
	for i, item := range items {
		result, err := run(item.Op, &call{args: item.Args, files: c.files})
		if err == nil {
			answers[i] = []any{true, result}
			continue
		}
		f := asFailure(err)
		answers[i] = []any{false, f.reason, clip(f.message), f.details}
	}
	return answers, nil
}

func decode(data []byte, into any) error {
	decoder := msgpack.NewDecoder(bytes.NewReader(data))
	decoder.UseLooseInterfaceDecoding(true)
	decoder.DisallowUnknownFields(true)
	return decoder.Decode(into)
}
