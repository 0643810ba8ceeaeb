package main

import (
	"fmt"
	"io"
	"path"

	"github.com/google/go-jsonnet"
)

type jsonnetArgs struct {
	Path    string            `msgpack:"path"`
	ExtVars map[string]string `msgpack:"ext_vars"`
	ExtCode map[string]string `msgpack:"ext_code"`
	TLAVars map[string]string `msgpack:"tla_vars"`
	TLACode map[string]string `msgpack:"tla_code"`
	Search  []string          `msgpack:"search"`
}

func init() {
	on("jsonnet.evaluate", func(a *jsonnetArgs, f *files) (any, error) { return evaluateJsonnet(a, f) })
}

func evaluateJsonnet(a *jsonnetArgs, f *files) ([]byte, error) {
	_, found, err := f.read(a.Path)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, failed("FileNotFound", "there is no file %s", a.Path)
	}
	vm := jsonnet.MakeVM()
	imports := &importer{files: f, search: a.Search, known: map[string]jsonnet.Contents{}}
	vm.Importer(imports)
	vm.SetTraceOut(io.Discard)
	define(a, vm)
	out, err := vm.EvaluateFile(a.Path)
	if imports.problem != nil {
		return nil, imports.problem
	}
	if err != nil {
		return nil, because("JsonnetFailed", err)
	}
	return []byte(out), nil
}

func define(a *jsonnetArgs, vm *jsonnet.VM) {
	for name, value := range a.ExtVars {
		vm.ExtVar(name, value)
	}
	for name, code := range a.ExtCode {
		vm.ExtCode(name, code)
	}
	for name, value := range a.TLAVars {
		vm.TLAVar(name, value)
	}
	for name, code := range a.TLACode {
		vm.TLACode(name, code)
	}
}

// importer finds imports beside the importing file, then in the search folders, the last one first.
type importer struct {
	files   *files
	search  []string
	known   map[string]jsonnet.Contents
	problem *failure
}

func (i *importer) Import(from, name string) (jsonnet.Contents, string, error) {
	if path.IsAbs(name) {
		i.problem = failed("PathEscape", "%s imports %s, which is absolute: only files of the repository can be imported", from, name)
		return jsonnet.Contents{}, "", i.problem
	}
	candidates := []string{path.Join(path.Dir(from), name)}
	for index := len(i.search) - 1; index >= 0; index-- {
		candidates = append(candidates, path.Join(i.search[index], name))
	}
	var escape error
	for _, candidate := range candidates {
		contents, found, err := i.at(candidate)
		if found {
			return contents, candidate, nil
		}
		if err != nil {
			escape = err
		}
	}
	if escape != nil {
		i.problem = asFailure(escape)
		return jsonnet.Contents{}, "", escape
	}
	return jsonnet.Contents{}, "", fmt.Errorf("couldn't open import %q: no match locally or in the library paths", name)
}

func (i *importer) at(candidate string) (jsonnet.Contents, bool, error) {
	if contents, known := i.known[candidate]; known {
		return contents, true, nil
	}
	data, found, err := i.files.read(candidate)
	if err != nil || !found {
		return jsonnet.Contents{}, false, err
	}
	contents := jsonnet.MakeContentsRaw(data)
	i.known[candidate] = contents
	return contents, true, nil
}
