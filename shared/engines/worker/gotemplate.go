package main

import (
	"bytes"
	"strings"
	gotemplate "text/template"
)

type gotemplateArgs struct {
	Templates map[string]string `msgpack:"templates"`
	Data      any               `msgpack:"data"`
	Functions string            `msgpack:"functions"`
	Options   []string          `msgpack:"options"`
	Commits   map[string]any    `msgpack:"commits"`
}

type fillArgs struct {
	Tree      any      `msgpack:"tree"`
	Data      []any    `msgpack:"data"`
	Functions string   `msgpack:"functions"`
	Options   []string `msgpack:"options"`
}

func init() {
	on("gotemplate.render", func(a *gotemplateArgs, _ *files) (any, error) { return renderTemplates(a) })
	on("gotemplate.fill", func(a *fillArgs, _ *files) (any, error) { return fill(a) })
}

// renderTemplates executes named templates, all with the same data.
func renderTemplates(a *gotemplateArgs) (map[string]string, error) {
	functions, err := functionSet(a.Functions, a.Commits)
	if err != nil {
		return nil, err
	}
	data := withHelpers(a.Functions, a.Data, a.Commits)
	out := make(map[string]string, len(a.Templates))
	known := newTemplates(functions, a.Options)
	for name, text := range a.Templates {
		if out[name], err = known.render(name, text, data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// templates are parsed once for a request, however often they are executed.
type templates struct {
	functions gotemplate.FuncMap
	options   []string
	parsed    map[string]*gotemplate.Template
}

func newTemplates(functions gotemplate.FuncMap, options []string) *templates {
	return &templates{functions, options, map[string]*gotemplate.Template{}}
}

func (t *templates) parse(name, text string) (*gotemplate.Template, error) {
	key := name + "\x00" + text
	if known, found := t.parsed[key]; found {
		return known, nil
	}
	parsed, err := gotemplate.New(name).Funcs(t.functions).Option(t.options...).Parse(text)
	if err != nil {
		return nil, failed("TemplateInvalid", "failed to parse template %.500s: %v", text, err)
	}
	t.parsed[key] = parsed
	return parsed, nil
}

func (t *templates) render(name, text string, data any) (string, error) {
	parsed, err := t.parse(name, text)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, data); err != nil {
		return "", failed("TemplateFailed", "failed to execute go template %.500s: %v", text, err)
	}
	return out.String(), nil
}

// fill replaces the templates in every string of a tree, once for each element of the data.
// Each answers [true, tree] or [false, reason, message].
func fill(a *fillArgs) ([]any, error) {
	functions, err := functionSet(a.Functions, nil)
	if err != nil {
		return nil, err
	}
	answers := make([]any, len(a.Data))
	known := newTemplates(functions, a.Options)
	for i, data := range a.Data {
		f := &filler{templates: known, data: data}
		filled, err := f.value(a.Tree)
		if err != nil {
			problem := asFailure(err)
			answers[i] = []any{false, problem.reason, clip(problem.message)}
			continue
		}
		answers[i] = []any{true, filled}
	}
	return answers, nil
}

type filler struct {
	templates *templates
	data      any
}

func (f *filler) value(tree any) (any, error) {
	switch v := tree.(type) {
	case string:
		return f.text(v)
	case []any:
		return f.list(v)
	case map[string]any:
		return f.object(v)
	}
	return tree, nil
}

func (f *filler) text(text string) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	return f.templates.render("", text, f.data)
}

func (f *filler) list(list []any) (any, error) {
	out := make([]any, len(list))
	for i, each := range list {
		filled, err := f.value(each)
		if err != nil {
			return nil, err
		}
		out[i] = filled
	}
	return out, nil
}

func (f *filler) object(object map[string]any) (any, error) {
	out := make(map[string]any, len(object))
	for key, each := range object {
		name, err := f.text(key)
		if err != nil {
			return nil, err
		}
		if out[name], err = f.value(each); err != nil {
			return nil, err
		}
	}
	return out, nil
}
