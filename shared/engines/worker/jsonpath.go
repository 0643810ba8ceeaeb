package main

import (
	"bytes"

	"k8s.io/client-go/util/jsonpath"
)

type jsonpathArgs struct {
	Template     string `msgpack:"template"`
	Data         any    `msgpack:"data"`
	AllowMissing bool   `msgpack:"allow_missing"`
}

type jsonpathResult struct {
	Text   string  `msgpack:"text"`
	Values [][]any `msgpack:"values"`
}

func init() {
	on("jsonpath.get", func(a *jsonpathArgs, _ *files) (any, error) { return getJSONPath(a) })
}

// getJSONPath evaluates as kubectl does: the printed text, and the values that each part in braces found.
func getJSONPath(a *jsonpathArgs) (*jsonpathResult, error) {
	expression := jsonpath.New("path").AllowMissingKeys(a.AllowMissing)
	if err := expression.Parse(a.Template); err != nil {
		return nil, because("PathInvalid", err)
	}
	found, err := expression.FindResults(a.Data)
	if err != nil {
		return nil, because("PathFailed", err)
	}
	var text bytes.Buffer
	result := &jsonpathResult{Values: make([][]any, len(found))}
	for i, part := range found {
		if err := expression.PrintResults(&text, part); err != nil {
			return nil, because("PathFailed", err)
		}
		result.Values[i] = []any{}
		for _, each := range part {
			if each.IsValid() && each.CanInterface() {
				result.Values[i] = append(result.Values[i], plain(each.Interface()))
			}
		}
	}
	result.Text = text.String()
	return result, nil
}
