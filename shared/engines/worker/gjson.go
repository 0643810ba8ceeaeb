package main

import (
	"github.com/tidwall/gjson"
	"github.com/tidwall/sjson"
)

type gjsonArgs struct {
	JSON  []byte   `msgpack:"json"`
	Paths []string `msgpack:"paths"`
}

type gjsonResult struct {
	_msgpack struct{} `msgpack:",as_array"`
	Exists   bool
	Kind     string
	Raw      string
	Text     string
}

type sjsonArgs struct {
	JSON  []byte      `msgpack:"json"`
	Edits []sjsonEdit `msgpack:"edits"`
}

type sjsonEdit struct {
	_msgpack struct{} `msgpack:",as_array"`
	Path     string
	Kind     string
	Value    any
}

func init() {
	on("gjson.get", func(a *gjsonArgs, _ *files) (any, error) { return getPaths(a) })
	on("sjson.edit", func(a *sjsonArgs, _ *files) (any, error) { return edit(a) })
}

func getPaths(a *gjsonArgs) ([]gjsonResult, error) {
	if !gjson.ValidBytes(a.JSON) {
		return nil, failed("BadArguments", "invalid JSON")
	}
	found := make([]gjsonResult, len(a.Paths))
	for i, path := range a.Paths {
		value := gjson.GetBytes(a.JSON, path)
		found[i] = gjsonResult{Exists: value.Exists(), Kind: value.Type.String(), Raw: value.Raw, Text: value.String()}
	}
	return found, nil
}

// edit sets values, raw JSON or nothing at paths, in their order.
func edit(a *sjsonArgs) ([]byte, error) {
	data := a.JSON
	for _, each := range a.Edits {
		changed, err := editOne(data, &each)
		if err != nil {
			return nil, failed("PathInvalid", "%.200s: %v", each.Path, err)
		}
		data = changed
	}
	return data, nil
}

func editOne(data []byte, each *sjsonEdit) ([]byte, error) {
	switch each.Kind {
	case "set":
		return sjson.SetBytes(data, each.Path, each.Value)
	case "raw":
		raw, isText := each.Value.(string)
		if !isText || !gjson.Valid(raw) {
			return nil, failed("BadArguments", "the raw value is no JSON")
		}
		return sjson.SetRawBytes(data, each.Path, []byte(raw))
	case "delete":
		return sjson.DeleteBytes(data, each.Path)
	}
	return nil, failed("BadArguments", "there is no edit %q", each.Kind)
}
