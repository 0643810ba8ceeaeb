package main

import (
	"path"
	"slices"
	"sort"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

// kustomizeEdits are the fields of Argo CD's kustomize source: what it would do with `kustomize edit`.
type kustomizeEdits struct {
	NamePrefix             string            `msgpack:"namePrefix"`
	NameSuffix             string            `msgpack:"nameSuffix"`
	Images                 []string          `msgpack:"images"`
	Replicas               []replicas        `msgpack:"replicas"`
	CommonLabels           map[string]string `msgpack:"commonLabels"`
	ForceCommonLabels      bool              `msgpack:"forceCommonLabels"`
	LabelWithoutSelector   bool              `msgpack:"labelWithoutSelector"`
	LabelIncludeTemplates  bool              `msgpack:"labelIncludeTemplates"`
	CommonAnnotations      map[string]string `msgpack:"commonAnnotations"`
	ForceCommonAnnotations bool              `msgpack:"forceCommonAnnotations"`
	Namespace              string            `msgpack:"namespace"`
	Patches                []patch           `msgpack:"patches"`
	Components             []string          `msgpack:"components"`
}

type replicas struct {
	Name  string `msgpack:"name"`
	Count int64  `msgpack:"count"`
}

type patch struct {
	Path    string          `msgpack:"path" json:"path,omitempty"`
	Patch   string          `msgpack:"patch" json:"patch,omitempty"`
	Target  *selector       `msgpack:"target" json:"target,omitempty"`
	Options map[string]bool `msgpack:"options" json:"options,omitempty"`
}

type selector struct {
	Group              string `msgpack:"group" json:"group,omitempty"`
	Version            string `msgpack:"version" json:"version,omitempty"`
	Kind               string `msgpack:"kind" json:"kind,omitempty"`
	Name               string `msgpack:"name" json:"name,omitempty"`
	Namespace          string `msgpack:"namespace" json:"namespace,omitempty"`
	LabelSelector      string `msgpack:"labelSelector" json:"labelSelector,omitempty"`
	AnnotationSelector string `msgpack:"annotationSelector" json:"annotationSelector,omitempty"`
}

func (e *kustomizeEdits) none() bool {
	return e.NamePrefix == "" && e.NameSuffix == "" && e.Namespace == "" && len(e.Images)+len(e.Replicas)+
		len(e.CommonLabels)+len(e.CommonAnnotations)+len(e.Patches)+len(e.Components) == 0
}

// apply lays an edited kustomization over the one in the folder; without edits it stays byte for byte what it is.
func (e *kustomizeEdits) apply(t *tree, folder string) error {
	if e.none() {
		return nil
	}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		data, err := t.ReadFile(path.Join(folder, name))
		if err != nil {
			continue
		}
		edited, err := e.edit(data)
		if err != nil {
			return err
		}
		relative, _ := t.inside(path.Join(folder, name))
		t.edited[relative] = edited
		return nil
	}
	return nil // Kustomize says that there is none
}

func (e *kustomizeEdits) edit(data []byte) ([]byte, error) {
	var k types.Kustomization
	if err := k.Unmarshal(data); err != nil {
		return nil, failed("KustomizeFailed", "invalid Kustomization: %v", err)
	}
	k.FixKustomization()
	if e.NamePrefix != "" {
		k.NamePrefix = e.NamePrefix
	}
	if e.NameSuffix != "" {
		k.NameSuffix = e.NameSuffix
	}
	if e.Namespace != "" {
		k.Namespace = e.Namespace
	}
	if err := e.setImages(&k); err != nil {
		return nil, err
	}
	e.setReplicas(&k)
	if err := e.addLabels(&k); err != nil {
		return nil, err
	}
	if k.CommonAnnotations == nil {
		k.CommonAnnotations = map[string]string{}
	}
	if err := add(k.CommonAnnotations, e.CommonAnnotations, e.ForceCommonAnnotations, "annotation"); err != nil {
		return nil, err
	}
	for _, each := range e.Components {
		if !slices.Contains(k.Components, each) {
			k.Components = append(k.Components, each)
		}
	}
	if err := e.addPatches(&k); err != nil {
		return nil, err
	}
	return yaml.Marshal(&k)
}

func (e *kustomizeEdits) setReplicas(k *types.Kustomization) {
	for _, wanted := range e.Replicas {
		k.Replicas = slices.DeleteFunc(k.Replicas, func(r types.Replica) bool { return r.Name == wanted.Name })
		k.Replicas = append(k.Replicas, types.Replica{Name: wanted.Name, Count: wanted.Count})
	}
}

func (e *kustomizeEdits) addLabels(k *types.Kustomization) error {
	if len(e.CommonLabels) == 0 {
		return nil
	}
	if !e.LabelWithoutSelector {
		if k.CommonLabels == nil {
			k.CommonLabels = map[string]string{}
		}
		return add(k.CommonLabels, e.CommonLabels, e.ForceCommonLabels, "label")
	}
	return e.addLabelPairs(k)
}

// addLabelPairs puts each label where it is already, else to the first group with the same settings, else to a new one.
func (e *kustomizeEdits) addLabelPairs(k *types.Kustomization) error {
	for name, value := range e.CommonLabels {
		group := e.groupFor(k, name)
		if err := add(group, map[string]string{name: value}, e.ForceCommonLabels, "label"); err != nil {
			return err
		}
	}
	return nil
}

func (e *kustomizeEdits) groupFor(k *types.Kustomization, name string) map[string]string {
	var first map[string]string
	for i := range k.Labels {
		each := &k.Labels[i]
		if each.IncludeSelectors || each.IncludeTemplates != e.LabelIncludeTemplates || each.Pairs == nil {
			continue
		}
		if _, has := each.Pairs[name]; has {
			return each.Pairs
		}
		if first == nil {
			first = each.Pairs
		}
	}
	if first == nil {
		first = map[string]string{}
		k.Labels = append(k.Labels, types.Label{Pairs: first, IncludeTemplates: e.LabelIncludeTemplates})
	}
	return first
}

func add(to, from map[string]string, force bool, what string) error {
	names := make([]string, 0, len(from))
	for name := range from {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if _, exists := to[name]; exists && !force {
			return failed("KustomizeFailed", "%s %s already in kustomization file: set the force option to replace it", what, name)
		}
		to[name] = from[name]
	}
	return nil
}

// addPatches goes through text, because the selector's own fields are regular expressions inside Kustomize.
func (e *kustomizeEdits) addPatches(k *types.Kustomization) error {
	if len(e.Patches) == 0 {
		return nil
	}
	text, err := yaml.Marshal(map[string]any{"patches": e.Patches})
	if err != nil {
		return err
	}
	var more types.Kustomization
	if err := more.Unmarshal(text); err != nil {
		return failed("KustomizeFailed", "patches: %s", strings.TrimSpace(err.Error()))
	}
	k.Patches = append(k.Patches, more.Patches...)
	return nil
}
