package main

import (
	"context"
	"math"
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"
)

const maxLuaDepth = 200

type luaArgs struct {
	Script       string         `msgpack:"script"`
	Globals      map[string]any `msgpack:"globals"`
	OpenLibs     bool           `msgpack:"open_libs"`
	Milliseconds int            `msgpack:"milliseconds"`
}

func init() {
	on("lua.run", func(a *luaArgs, _ *files) (any, error) { return runLua(a) })
}

// runLua gives the values that a script returns. Empty tables are empty lists, except where a global of the same shape
// held an object: see emptied.
func runLua(a *luaArgs) (any, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true, CallStackSize: 512, RegistrySize: 4096, RegistryMaxSize: 1 << 20})
	defer state.Close()
	limit := time.Duration(max(a.Milliseconds, 1)) * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	state.SetContext(ctx)
	openLibraries(state, a.OpenLibs)
	for name, value := range a.Globals {
		state.SetGlobal(name, toLua(state, value))
	}
	if err := state.DoString(a.Script); err != nil {
		if ctx.Err() != nil {
			return nil, failed("ScriptTimeout", "the script took longer than %v", limit)
		}
		return nil, because("ScriptFailed", err)
	}
	found := make([]any, 0, state.GetTop())
	for i := 1; i <= state.GetTop(); i++ {
		value, err := fromLua(state.Get(i), 0)
		if err != nil {
			return nil, err
		}
		found = append(found, emptied(value, a.Globals["obj"]))
	}
	return found, nil
}

type library struct {
	name string
	open lua.LGFunction
}

// openLibraries never opens what reaches files, programs or other code.
func openLibraries(state *lua.LState, all bool) {
	wanted := []library{{lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}, {lua.OsLibName, lua.OpenOs}}
	if all {
		wanted = append(wanted, library{lua.StringLibName, lua.OpenString}, library{lua.MathLibName, lua.OpenMath},
			library{lua.CoroutineLibName, lua.OpenCoroutine})
	}
	for _, each := range wanted {
		state.Push(state.NewFunction(each.open))
		state.Push(lua.LString(each.name))
		state.Call(1, 0)
	}
	for _, name := range []string{"dofile", "loadfile", "load", "loadstring", "module", "collectgarbage", "_printregs"} {
		state.SetGlobal(name, lua.LNil)
	}
	state.SetGlobal("print", state.NewFunction(func(*lua.LState) int { return 0 }))
	state.SetGlobal(lua.OsLibName, clockOnly(state))
	state.SetGlobal("require", state.NewFunction(openedOnly))
}

// openedOnly is a `require` for what is there already: many scripts begin with `local os = require("os")`.
func openedOnly(state *lua.LState) int {
	name := state.CheckString(1)
	library, opened := state.GetGlobal(name).(*lua.LTable)
	if !opened || name == "obj" || name == "actionParams" {
		state.RaiseError("module %s not found", name)
	}
	state.Push(library)
	return 1
}

// clockOnly is the part of `os` that tells the time.
func clockOnly(state *lua.LState) *lua.LTable {
	safe, all := state.NewTable(), state.GetGlobal(lua.OsLibName)
	for _, name := range []string{"time", "date", "clock", "difftime"} {
		safe.RawSetString(name, state.GetField(all, name))
	}
	return safe
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch v := value.(type) {
	case bool:
		return lua.LBool(v)
	case int64:
		return lua.LNumber(v)
	case uint64:
		return lua.LNumber(v)
	case float64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case []any:
		table := state.CreateTable(len(v), 0)
		for _, each := range v {
			table.Append(toLua(state, each))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(v))
		for key, each := range v {
			table.RawSetString(key, toLua(state, each))
		}
		return table
	}
	return lua.LNil
}

func fromLua(value lua.LValue, depth int) (any, error) {
	if depth > maxLuaDepth {
		return nil, failed("ScriptFailed", "the script returned a table that is nested too deeply or contains itself")
	}
	switch v := value.(type) {
	case lua.LBool:
		return bool(v), nil
	case lua.LNumber:
		if f := float64(v); f != math.Trunc(f) || math.Abs(f) >= 1<<63 {
			return f, nil
		}
		return int64(v), nil
	case lua.LString:
		return string(v), nil
	case *lua.LTable:
		return fromTable(v, depth+1)
	case *lua.LNilType:
		return nil, nil
	}
	return nil, failed("ScriptFailed", "the script returned a %s, which has no meaning outside", value.Type())
}

// fromTable is a list when the keys are 1, 2, 3, ..., an object when they are strings; a mixture is an error.
func fromTable(table *lua.LTable, depth int) (any, error) {
	list, object, count := make([]any, 0, table.Len()), map[string]any{}, 0
	var problem error
	table.ForEach(func(key, value lua.LValue) {
		if problem != nil {
			return
		}
		count++
		each, err := fromLua(value, depth)
		switch k := key.(type) {
		case lua.LNumber:
			if float64(k) != float64(len(list)+1) {
				err = failed("ScriptFailed", "the script returned a table with the key %s, which is neither a list's nor an object's", k.String())
			}
			list = append(list, each)
		case lua.LString:
			object[string(k)] = each
		default:
			err = failed("ScriptFailed", "the script returned a table with a %s as key", key.Type())
		}
		problem = err
	})
	if problem != nil {
		return nil, problem
	}
	if len(list) > 0 && len(object) > 0 {
		return nil, failed("ScriptFailed", "the script returned a table that mixes a list's keys (1 to %s) with an object's", strconv.Itoa(len(list)))
	}
	if len(object) > 0 {
		return object, nil
	}
	return list, nil
}

// emptied gives an empty table back the shape that it had in the object that the script was given.
func emptied(value, before any) any {
	switch v := value.(type) {
	case []any:
		if old, was := before.(map[string]any); was && len(v) == 0 && len(old) == 0 {
			return map[string]any{}
		}
		old, _ := before.([]any)
		for i := range v {
			if i < len(old) {
				v[i] = emptied(v[i], old[i])
			}
		}
	case map[string]any:
		old, _ := before.(map[string]any)
		for key := range v {
			v[key] = emptied(v[key], old[key])
		}
	}
	return value
}
