package main

import (
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/releaseutil"
)

const defaultKubeVersion = "v1.35.0"

type helmArgs struct {
	Chart       string    `msgpack:"chart"`
	Release     string    `msgpack:"release"`
	Namespace   string    `msgpack:"namespace"`
	KubeVersion string    `msgpack:"kube_version"`
	APIVersions []string  `msgpack:"api_versions"`
	Values      [][]byte  `msgpack:"values"`
	Set         []string  `msgpack:"set"`
	SetString   []string  `msgpack:"set_string"`
	SetFile     []setFile `msgpack:"set_file"`
	IncludeCRDs bool      `msgpack:"include_crds"`
	SkipTests   bool      `msgpack:"skip_tests"`
	SkipSchema  bool      `msgpack:"skip_schema"`
	IsUpgrade   bool      `msgpack:"is_upgrade"`
}

type helmResult struct {
	Objects []object `msgpack:"objects"`
	Chart   string   `msgpack:"chart"`
	Version string   `msgpack:"version"`
	Notes   string   `msgpack:"notes"`
}

func init() {
	on("helm.template", func(a *helmArgs, f *files) (any, error) { return template(a, f) })
}

// template does what `helm template` does, without its downloads.
func template(a *helmArgs, f *files) (*helmResult, error) {
	c, err := loadChart(f, a.Chart)
	if err != nil {
		return nil, because("ChartInvalid", err)
	}
	if err := installable(c); err != nil {
		return nil, err
	}
	values, err := mergedValues(a)
	if err != nil {
		return nil, because("ValuesInvalid", err)
	}
	rendered, caps, err := renderValues(c, values, a)
	if err != nil {
		return nil, err
	}
	if wanted := c.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, caps.KubeVersion.String()) {
		return nil, failed("KubeVersionIncompatible", "the chart requires kubeVersion %s, which %s does not satisfy",
			wanted, caps.KubeVersion.String())
	}
	texts, err := engine.Engine{}.Render(c, rendered)
	if err != nil {
		return nil, because("TemplateFailed", err)
	}
	result := &helmResult{Chart: c.Name(), Version: c.Metadata.Version, Notes: takeNotes(c, texts)}
	result.Objects, err = outputs(c, texts, a)
	return result, err
}

func installable(c *chart.Chart) error {
	if kind := c.Metadata.Type; kind != "" && kind != "application" {
		return failed("ChartNotInstallable", "%s charts can't be rendered on their own", kind)
	}
	present := map[string]bool{}
	for _, each := range c.Dependencies() {
		present[each.Name()] = true
	}
	missing, names := []map[string]string{}, []string{}
	for _, wanted := range c.Metadata.Dependencies {
		if !present[wanted.Name] {
			missing = append(missing, dependency(wanted, c.Lock))
			names = append(names, wanted.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &failure{"MissingDependencies", "the chart's dependencies are not in charts/: " + strings.Join(names, ", "), missing}
}

func dependency(wanted *chart.Dependency, lock *chart.Lock) map[string]string {
	found := map[string]string{
		"name": wanted.Name, "repository": wanted.Repository, "version": wanted.Version, "alias": wanted.Alias, "locked": "",
	}
	if lock == nil {
		return found
	}
	for _, each := range lock.Dependencies {
		if each.Name == wanted.Name {
			found["locked"] = each.Version
		}
	}
	return found
}

func renderValues(c *chart.Chart, values map[string]any, a *helmArgs) (chartutil.Values, *chartutil.Capabilities, error) {
	if err := chartutil.ValidateReleaseName(a.Release); err != nil {
		return nil, nil, because("ReleaseNameInvalid", err)
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, values); err != nil {
		return nil, nil, because("ChartInvalid", err)
	}
	caps, err := capabilities(a)
	if err != nil {
		return nil, nil, err
	}
	options := chartutil.ReleaseOptions{
		Name: a.Release, Namespace: a.Namespace, Revision: 1, IsInstall: !a.IsUpgrade, IsUpgrade: a.IsUpgrade,
	}
	rendered, err := chartutil.ToRenderValuesWithSchemaValidation(c, values, options, caps, a.SkipSchema)
	if err != nil {
		return nil, nil, because("SchemaViolation", err)
	}
	return rendered, caps, nil
}

func capabilities(a *helmArgs) (*chartutil.Capabilities, error) {
	caps := chartutil.DefaultCapabilities.Copy()
	version := a.KubeVersion
	if version == "" {
		version = defaultKubeVersion
	}
	parsed, err := chartutil.ParseKubeVersion(version)
	if err != nil {
		return nil, failed("KubeVersionInvalid", "%q is no Kubernetes version: %v", version, err)
	}
	caps.KubeVersion = *parsed
	caps.APIVersions = append(caps.APIVersions[:len(caps.APIVersions):len(caps.APIVersions)], a.APIVersions...)
	return caps, nil
}

func takeNotes(c *chart.Chart, texts map[string]string) string {
	notes := texts[path.Join(c.Name(), "templates", "NOTES.txt")]
	for name := range texts {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(texts, name)
		}
	}
	return notes
}

// outputs are the objects in the order of `helm template`: CRDs, manifests in install order, hooks.
func outputs(c *chart.Chart, texts map[string]string, a *helmArgs) ([]object, error) {
	hooks, manifests, err := releaseutil.SortManifests(texts, nil, releaseutil.InstallOrder)
	if err != nil {
		return nil, because("ManifestInvalid", err)
	}
	found := []object{}
	add := func(source, text string) error {
		each, err := objectsOf(source, text)
		found = append(found, each...)
		return err
	}
	if a.IncludeCRDs {
		for _, crd := range c.CRDObjects() {
			if err := add(crd.Filename, string(crd.File.Data)); err != nil {
				return nil, err
			}
		}
	}
	for _, m := range manifests {
		if err := add(m.Name, m.Content); err != nil {
			return nil, err
		}
	}
	for _, hook := range hooks {
		if a.SkipTests && isTest(hook) {
			continue
		}
		if err := add(hook.Path, hook.Manifest); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func isTest(hook *release.Hook) bool {
	for _, event := range hook.Events {
		if event == release.HookTest {
			return true
		}
	}
	return false
}
