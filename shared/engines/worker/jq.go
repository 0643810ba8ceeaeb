package main

import (
	"math"
	"math/big"

	"github.com/itchyny/gojq"
)

const maxJQOutputs = 100_000

type jqArgs struct {
	Filter string `msgpack:"filter"`
	Input  any    `msgpack:"input"`
	Limit  int    `msgpack:"limit"`
}

func init() {
	on("jq.run", func(a *jqArgs, _ *files) (any, error) { return runJQ(a) })
}

// runJQ gives a filter's outputs; `env` and `$ENV` are empty, and there are no modules.
func runJQ(a *jqArgs) ([]any, error) {
	parsed, err := gojq.Parse(a.Filter)
	if err != nil {
		return nil, because("FilterInvalid", err)
	}
	code, err := gojq.Compile(parsed)
	if err != nil {
		return nil, because("FilterInvalid", err)
	}
	limit := a.Limit
	if limit <= 0 || limit > maxJQOutputs {
		limit = maxJQOutputs
	}
	found := []any{}
	outputs := code.Run(jqValue(a.Input))
	for {
		value, more := outputs.Next()
		if !more || (a.Limit > 0 && len(found) == limit) {
			return found, nil
		}
		if err, isError := value.(error); isError {
			if halt, stopped := err.(*gojq.HaltError); stopped && halt.Value() == nil {
				return found, nil
			}
			return nil, because("FilterFailed", err)
		}
		if len(found) == limit {
			return nil, failed("OutputTooLarge", "the filter has more than %d outputs", maxJQOutputs)
		}
		found = append(found, whole(plain(value)))
	}
}

// whole makes 5.0 the 5 that jq prints.
func whole(value any) any {
	switch v := value.(type) {
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	}
	return value
}

// jqValue uses the only types that gojq takes.
func jqValue(value any) any {
	switch v := value.(type) {
	case int64:
		return int(v)
	case uint64:
		return new(big.Int).SetUint64(v)
	case []byte:
		return string(v)
	case []any:
		out := make([]any, len(v))
		for i, each := range v {
			out[i] = jqValue(each)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, each := range v {
			out[key] = jqValue(each)
		}
		return out
	}
	return value
}
