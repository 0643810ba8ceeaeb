package main

import (
	"context"
	"reflect"
	"strings"
	"time"

	"github.com/itchyny/gojq"
)

const maxJQPaths = 10_000

// nowhere is how jq says that an expression leads to nothing in this value: no error where a rule is for many kinds.
var nowhere = []string{
	"expected an object but got: ", "expected an array but got: ", "cannot iterate over: ",
	"expected a string for object key but got: ", "expected a number for indexing an array but got: ",
}

type jqPathsArgs struct {
	Items        []jqPathsItem `msgpack:"items"`
	Milliseconds int           `msgpack:"milliseconds"`
}

type jqPathsItem struct {
	Filters []string `msgpack:"filters"`
	Input   any      `msgpack:"input"`
}

func init() {
	on("jq.paths", func(a *jqPathsArgs, _ *files) (any, error) { return (&pathFinder{limit: limitOf(a)}).all(a.Items), nil })
}

func limitOf(a *jqPathsArgs) time.Duration {
	return time.Duration(max(a.Milliseconds, 1)) * time.Millisecond
}

// pathFinder compiles each filter once; one that took too long is not tried again.
type pathFinder struct {
	limit    time.Duration
	compiled map[string]*gojq.Code
	broken   map[string]error
}

// all answers for each input [true, its paths] or [false, reason, message].
func (p *pathFinder) all(items []jqPathsItem) []any {
	p.compiled, p.broken = map[string]*gojq.Code{}, map[string]error{}
	answers := make([]any, len(items))
	for i, item := range items {
		answers[i] = p.answer(item.Filters, jqValue(item.Input))
	}
	return answers
}

func (p *pathFinder) answer(filters []string, input any) []any {
	found := []any{}
	for _, filter := range filters {
		paths, err := p.find(filter, input)
		if err != nil {
			f := asFailure(err)
			return []any{false, f.reason, clip(filter + ": " + f.message)}
		}
		found = append(found, paths...)
	}
	return []any{true, found}
}

func (p *pathFinder) find(filter string, input any) ([]any, error) {
	if err := p.broken[filter]; err != nil {
		return nil, err
	}
	code, err := p.code(filter)
	if err == nil {
		var paths []any
		if paths, err = p.follow(code, input); err == nil {
			return paths, nil
		}
	}
	if f := asFailure(err); f.reason == "FilterTimeout" || f.reason == "FilterInvalid" {
		p.broken[filter] = err
	}
	return nil, err
}

// code compiles path(filter).
func (p *pathFinder) code(filter string) (*gojq.Code, error) {
	if known := p.compiled[filter]; known != nil {
		return known, nil
	}
	parsed, err := gojq.Parse(filter)
	if err != nil {
		return nil, because("FilterInvalid", err)
	}
	whole := &gojq.Query{Term: &gojq.Term{
		Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: "path", Args: []*gojq.Query{parsed}},
	}}
	code, err := gojq.Compile(whole)
	if err != nil {
		return nil, because("FilterInvalid", err)
	}
	p.compiled[filter] = code
	return code, nil
}

func (p *pathFinder) follow(code *gojq.Code, input any) ([]any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), p.limit)
	defer cancel()
	found := []any{}
	for outputs := code.RunWithContext(ctx, input); ; {
		value, more := outputs.Next()
		if !more {
			return found, nil
		}
		if err, isError := value.(error); isError {
			switch {
			case ctx.Err() != nil:
				return nil, failed("FilterTimeout", "it took longer than %v", p.limit)
			case leadsNowhere(err):
				return []any{}, nil
			}
			return nil, because("FilterFailed", err)
		}
		if found = append(found, concrete(value, input)...); len(found) > maxJQPaths {
			return nil, failed("OutputTooLarge", "it leads to more than %d places", maxJQPaths)
		}
	}
}

func leadsNowhere(err error) bool {
	text := err.Error()
	for _, start := range nowhere {
		if strings.HasPrefix(text, start) {
			return true
		}
	}
	return strings.HasSuffix(text, ": null") || strings.Contains(text, ": null ")
}

// concrete turns slices and negative indexes into the plain ones that they mean in this value.
func concrete(path, value any) []any {
	steps, _ := path.([]any)
	if len(steps) == 0 {
		return nil
	}
	found := []any{}
	for _, step := range plainSteps(steps[0], value) {
		if len(steps) == 1 {
			found = append(found, []any{step})
			continue
		}
		for _, rest := range concrete(steps[1:], child(value, step)) {
			found = append(found, append([]any{step}, rest.([]any)...))
		}
	}
	return found
}

func plainSteps(step, value any) []any {
	list, _ := value.([]any)
	switch s := step.(type) {
	case string:
		return []any{s}
	case int:
		if s < 0 {
			s += len(list)
		}
		return []any{s}
	case map[string]any:
		start, end := bound(s["start"], 0, len(list)), bound(s["end"], len(list), len(list))
		found := []any{}
		for at := start; at < end; at++ {
			found = append(found, at)
		}
		return found
	}
	return nil
}

func bound(given any, otherwise, length int) int {
	at := otherwise
	if v := reflect.ValueOf(given); v.IsValid() && v.CanInt() {
		at = int(v.Int())
	}
	if at < 0 {
		at += length
	}
	return min(max(at, 0), length)
}

func child(value, step any) any {
	switch v := value.(type) {
	case map[string]any:
		name, _ := step.(string)
		return v[name]
	case []any:
		if at, isIndex := step.(int); isIndex && at >= 0 && at < len(v) {
			return v[at]
		}
	}
	return nil
}
