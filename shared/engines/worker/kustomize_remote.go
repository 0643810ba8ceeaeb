package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"
)

// references are the fields of a kustomization that name files, folders or addresses.
type references struct {
	Resources, Bases, Components, Crds, Configurations, Generators, Transformers, Validators []string
	HelmCharts                                                                               []any `json:"helmCharts"`
}

func (r *references) all() []string {
	return slices.Concat(r.Resources, r.Bases, r.Components, r.Crds, r.Configurations, r.Generators, r.Transformers, r.Validators)
}

// examine refuses what would have to be downloaded, and asks for all the files at once that Kustomize will read one by one.
func (t *tree) examine(name string, data []byte) error {
	var r references
	if yaml.Unmarshal(data, &r) != nil {
		return nil // Kustomize says what is wrong with it
	}
	if len(r.HelmCharts) > 0 {
		return failed("HelmInKustomize", "%s: helmCharts are not rendered inside Kustomize: make the chart a source of its own", name)
	}
	named := r.all()
	for _, each := range named {
		if !strings.Contains(each, "\n") && remote.MatchString(each) {
			f := failed("RemoteResource", "%s: %s is remote: renders have no network, so vendor it into the repository", name, withoutUser(each))
			f.details = withoutUser(each)
			return f
		}
	}
	return t.files.load(plainFiles(path.Dir(name), named))
}

// plainFiles are the names that look like files inside the repository.
func plainFiles(folder string, named []string) []string {
	found := []string{}
	for _, each := range named {
		switch path.Ext(each) {
		case ".yaml", ".yml", ".json":
			if clean, err := within(path.Join(folder, each)); err == nil && !path.IsAbs(each) && !strings.Contains(each, "\n") {
				found = append(found, clean)
			}
		}
	}
	return found
}

var remote = regexp.MustCompile(`://|^git@|^git::|^gh:|^github\.com[/:]|[?&](ref|version|timeout|submodules)=|\.git(/|$)|_git/`)

var user = regexp.MustCompile(`://[^/@]*@`)

func withoutUser(address string) string { return user.ReplaceAllString(address, "://") }

func isKustomization(name string) bool {
	for _, each := range konfig.RecognizedKustomizationFileNames() {
		if path.Base(name) == each {
			return true
		}
	}
	return false
}
