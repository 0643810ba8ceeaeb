package main

import (
	"fmt"
	"strconv"

	"helm.sh/helm/v3/pkg/strvals"
	"sigs.k8s.io/yaml"
)

// setFile is a `--set-file`: the content is handed over, not read.
type setFile struct {
	_msgpack struct{} `msgpack:",as_array"`
	Name     string
	Content  []byte
}

// mergedValues lays values over one another as Helm does: files in their order, set, set-string, set-file.
func mergedValues(a *helmArgs) (map[string]any, error) {
	base := map[string]any{}
	for i, text := range a.Values {
		each := map[string]any{}
		if err := yaml.Unmarshal(text, &each); err != nil {
			return nil, failed("ValuesInvalid", "values %d of %d: %v", i+1, len(a.Values), err)
		}
		base = merged(base, each)
	}
	for _, text := range a.Set {
		if err := strvals.ParseInto(text, base); err != nil {
			return nil, fmt.Errorf("parameter %.200q: %w", text, err)
		}
	}
	for _, text := range a.SetString {
		if err := strvals.ParseIntoString(text, base); err != nil {
			return nil, fmt.Errorf("parameter %.200q: %w", text, err)
		}
	}
	return base, setFiles(a.SetFile, base)
}

func setFiles(given []setFile, base map[string]any) error {
	content := func(name []rune) (any, error) {
		index, err := strconv.Atoi(string(name))
		if err != nil || index < 0 || index >= len(given) {
			return nil, failed("ValuesInvalid", "a file parameter's name must not hold a comma or an equals sign")
		}
		return string(given[index].Content), nil
	}
	for i, each := range given {
		if err := strvals.ParseIntoFile(fmt.Sprintf("%s=%d", each.Name, i), base, content); err != nil {
			return fmt.Errorf("file parameter %.200q: %w", each.Name, err)
		}
	}
	return nil
}

func merged(below, above map[string]any) map[string]any {
	out := make(map[string]any, len(below)+len(above))
	for key, value := range below {
		out[key] = value
	}
	for key, value := range above {
		mapAbove, isMap := value.(map[string]any)
		mapBelow, wasMap := out[key].(map[string]any)
		if isMap && wasMap {
			value = merged(mapBelow, mapAbove)
		}
		out[key] = value
	}
	return out
}
