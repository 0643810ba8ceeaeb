package main

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"

	"github.com/Knetic/govaluate"
	"github.com/evilmonkeyinc/jsonpath"
	"github.com/expr-lang/expr"
)

type exprArgs struct {
	Expressions []string       `msgpack:"expressions"`
	Env         map[string]any `msgpack:"env"`
	Functions   string         `msgpack:"functions"`
	Undefined   bool           `msgpack:"undefined"`
	Commits     map[string]any `msgpack:"commits"`
}

type govaluateArgs struct {
	Expression string         `msgpack:"expression"`
	Parameters map[string]any `msgpack:"parameters"`
}

func init() {
	on("expr.evaluate", func(a *exprArgs, _ *files) (any, error) { return evaluateExpressions(a) })
	on("govaluate.evaluate", func(a *govaluateArgs, _ *files) (any, error) { return evaluateGovaluate(a) })
}

// evaluateExpressions evaluates with one environment; each answers [true, value] or [false, reason, message].
func evaluateExpressions(a *exprArgs) ([]any, error) {
	env, err := exprEnv(a)
	if err != nil {
		return nil, err
	}
	options := []expr.Option{expr.Env(env)}
	if a.Undefined {
		options = append(options, expr.AllowUndefinedVariables())
	}
	answers := make([]any, len(a.Expressions))
	for i, text := range a.Expressions {
		answers[i] = evaluateExpression(text, env, options)
	}
	return answers, nil
}

func evaluateExpression(text string, env map[string]any, options []expr.Option) []any {
	program, err := expr.Compile(text, options...)
	if err != nil {
		return []any{false, "ExpressionInvalid", clip(err.Error())}
	}
	value, err := expr.Run(program, env)
	if err != nil {
		return []any{false, "ExpressionFailed", clip(err.Error())}
	}
	return []any{true, plain(value)}
}

func exprEnv(a *exprArgs) (map[string]any, error) {
	env := map[string]any{}
	switch a.Functions {
	case "":
	case "notifications":
		env = withHelpers("notifications", env, a.Commits).(map[string]any)
	case "workflows", "events":
		env = map[string]any{
			"asInt": asInt, "asFloat": asFloat, "string": asString, "toJson": toJSON, "jsonpath": queryJSON,
			"sprig": safeSprig(),
		}
	case "rollouts":
		env = analysisEnv(a.Env["result"])
	default:
		return nil, failed("BadArguments", "there is no set of functions %q", a.Functions)
	}
	for name, value := range a.Env {
		env[name] = value
	}
	return env, nil
}

// analysisEnv has isNil and default look at the whole result whatever they are given: manifests rely on it.
func analysisEnv(result any) map[string]any {
	return map[string]any{
		"asInt": asInt, "asFloat": asFloat, "isNaN": math.IsNaN,
		"isInf": func(f float64) bool { return math.IsInf(f, 0) },
		"isNil": func(any) bool { return isNil(result) },
		"default": func(_, otherwise any) any {
			if isNil(result) {
				return otherwise
			}
			return result
		},
	}
}

func isNil(value any) bool {
	if value == nil {
		return true
	}
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		return v.IsNil()
	}
	return false
}

func asInt(value any) (int64, error) {
	switch v := value.(type) {
	case string:
		return strconv.ParseInt(v, 10, 64)
	case float64:
		return int64(v), nil
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	}
	return 0, fmt.Errorf("asInt() not supported on %T", value)
}

func asFloat(value any) (float64, error) {
	switch v := value.(type) {
	case string:
		return strconv.ParseFloat(v, 64)
	case float64:
		return v, nil
	case int64:
		return float64(v), nil
	case int:
		return float64(v), nil
	}
	return 0, fmt.Errorf("asFloat() not supported on %T", value)
}

func asString(value any) (string, error) {
	switch v := value.(type) {
	case nil, map[string]any, []any:
		return toJSON(v)
	}
	return fmt.Sprintf("%v", value), nil
}

func queryJSON(text, path string) (any, error) { return jsonpath.QueryString(path, text) }

func toJSON(value any) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

// evaluateGovaluate: the library panics on some broken texts, such as a lone backslash.
func evaluateGovaluate(a *govaluateArgs) (value any, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = failed("ExpressionInvalid", "%.200q is no expression", a.Expression)
		}
	}()
	parsed, err := govaluate.NewEvaluableExpression(a.Expression)
	if err != nil {
		return nil, because("ExpressionInvalid", err)
	}
	value, err = parsed.Evaluate(floats(a.Parameters).(map[string]any))
	if err != nil {
		return nil, because("ExpressionFailed", err)
	}
	return plain(value), nil
}
