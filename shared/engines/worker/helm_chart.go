package main

import (
	"bytes"
	"io/fs"
	"path"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"
)

const (
	maxChartFiles = 20_000
	maxChartDepth = 40
)

// loadChart reads a chart's folder through the client, as Helm reads one from a disk.
func loadChart(f *files, folder string) (*chart.Chart, error) {
	root, err := within(folder)
	if err != nil {
		return nil, err
	}
	rules, err := ignoreRules(f, root)
	if err != nil {
		return nil, err
	}
	names, err := chartFiles(f, root, rules)
	if err != nil {
		return nil, err
	}
	full := make([]string, len(names))
	for i, name := range names {
		full[i] = path.Join(root, name)
	}
	if err := f.load(full); err != nil {
		return nil, err
	}
	return loader.LoadFiles(buffered(f, names, full))
}

func buffered(f *files, names, full []string) []*loader.BufferedFile {
	found := make([]*loader.BufferedFile, 0, len(names))
	for i, name := range names {
		if data, exists := f.contents[full[i]]; exists {
			found = append(found, &loader.BufferedFile{Name: name, Data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))})
		}
	}
	return found
}

func ignoreRules(f *files, root string) (*ignore.Rules, error) {
	data, found, err := f.read(path.Join(root, ignore.HelmIgnore))
	if err != nil {
		return nil, err
	}
	rules := ignore.Empty()
	if found {
		if rules, err = ignore.Parse(bytes.NewReader(data)); err != nil {
			return nil, failed("ChartInvalid", ".helmignore: %v", err)
		}
	}
	rules.AddDefaults()
	return rules, nil
}

// chartFiles are the files below the root that are not ignored, one question for each level of folders.
func chartFiles(f *files, root string, rules *ignore.Rules) ([]string, error) {
	names, level := []string{}, []string{""}
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxChartDepth || len(names) > maxChartFiles {
			return nil, failed("ChartTooLarge", "the chart has too many files or folders: exclude some with .helmignore")
		}
		full := make([]string, len(level))
		for i, folder := range level {
			full[i] = path.Join(root, folder)
		}
		if err := f.look(full); err != nil {
			return nil, err
		}
		next := []string{}
		for i, folder := range level {
			for _, each := range f.folders[full[i]] {
				name := path.Join(folder, each.Name)
				switch {
				case rules.Ignore(name, fileInfo{each}):
				case each.IsDir:
					next = append(next, name)
				default:
					names = append(names, name)
				}
			}
		}
		level = next
	}
	return names, nil
}

// fileInfo shows an entry to Helm's ignore rules.
type fileInfo struct{ entry entry }

func (i fileInfo) Name() string       { return i.entry.Name }
func (i fileInfo) Size() int64        { return 0 }
func (i fileInfo) ModTime() time.Time { return time.Time{} }
func (i fileInfo) Sys() any           { return nil }
func (i fileInfo) IsDir() bool        { return i.entry.IsDir }
func (i fileInfo) Mode() fs.FileMode {
	if i.entry.IsDir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}
