package main

import (
	"path"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
)

type kustomizeArgs struct {
	Folder  string         `msgpack:"folder"`
	Edits   kustomizeEdits `msgpack:"edits"`
	Options []string       `msgpack:"options"`
}

func init() {
	on("kustomize.build", func(a *kustomizeArgs, f *files) (any, error) { return build(a, f) })
}

// build does what `kustomize edit ...; kustomize build` would, on a copy in memory.
func build(a *kustomizeArgs, f *files) ([]object, error) {
	options, err := buildOptions(a.Options)
	if err != nil {
		return nil, err
	}
	folder, err := within(a.Folder)
	if err != nil {
		return nil, err
	}
	tree := newTree(f)
	if err := a.Edits.apply(tree, path.Join(treeRoot, folder)); err != nil {
		return nil, tree.explain(err)
	}
	built, err := krusty.MakeKustomizer(options).Run(tree, path.Join(treeRoot, folder))
	if err != nil || tree.problem != nil {
		return nil, tree.explain(err)
	}
	return resources(built)
}

func resources(built resmap.ResMap) ([]object, error) {
	found := make([]object, 0, built.Size())
	for _, each := range built.Resources() {
		if err := nameVersion(each); err != nil {
			return nil, because("KustomizeFailed", err)
		}
		data, err := each.MarshalJSON()
		if err != nil {
			return nil, because("KustomizeFailed", err)
		}
		found = append(found, object{JSON: data})
	}
	return found, nil
}

// kustomizeRelease is the command that has the linked library; the library itself says "(devel)", which no label may hold.
const kustomizeRelease = "v5.8.1"

func nameVersion(r *resource.Resource) error {
	labels := r.GetLabels()
	if labels[konfig.ManagedbyLabelKey] != "kustomize-(devel)" {
		return nil
	}
	labels[konfig.ManagedbyLabelKey] = "kustomize-" + kustomizeRelease
	return r.SetLabels(labels)
}

// buildOptions reads the words of `kustomize.buildOptions`; what would run programs or use the network is refused.
func buildOptions(words []string) (*krusty.Options, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	for i := 0; i < len(words); i++ {
		name, value, hasValue := strings.Cut(words[i], "=")
		if !hasValue && takesValue[name] && i+1 < len(words) {
			i++
			value = words[i]
		}
		if err := setOption(options, name, value); err != nil {
			return nil, err
		}
	}
	return options, nil
}

var takesValue = map[string]bool{"--load-restrictor": true, "--load_restrictor": true, "--reorder": true}

func setOption(options *krusty.Options, name, value string) error {
	switch name {
	case "--load-restrictor", "--load_restrictor":
		return setRestrictor(options, value)
	case "--reorder":
		options.Reorder = krusty.ReorderOption(value)
	case "--enable-managedby-label", "--enable_managedby_label":
		options.AddManagedbyLabel = value != "false"
	default:
		return failed("UnsupportedBuildOption",
			"kustomize build option %q is not supported: renders run no programs and have no network "+
				"(supported: --load-restrictor, --reorder, --enable-managedby-label)", name)
	}
	return nil
}

func setRestrictor(options *krusty.Options, value string) error {
	switch value {
	case "LoadRestrictionsNone", "none":
		options.LoadRestrictions = types.LoadRestrictionsNone
	case "LoadRestrictionsRootOnly", "rootOnly":
		options.LoadRestrictions = types.LoadRestrictionsRootOnly
	default:
		return failed("UnsupportedBuildOption", "--load-restrictor %q is neither LoadRestrictionsRootOnly nor LoadRestrictionsNone", value)
	}
	return nil
}
