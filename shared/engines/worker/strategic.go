package main

import (
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
)

type strategicArgs struct {
	Group    string `msgpack:"group"`
	Version  string `msgpack:"version"`
	Kind     string `msgpack:"kind"`
	Original []byte `msgpack:"original"`
	Modified []byte `msgpack:"modified"`
	Current  []byte `msgpack:"current"`
	Patch    []byte `msgpack:"patch"`
}

func init() {
	on("strategic.apply", func(a *strategicArgs, _ *files) (any, error) { return applyStrategic(a) })
	on("strategic.diff", func(a *strategicArgs, _ *files) (any, error) { return diffStrategic(a) })
	on("strategic.three_way", func(a *strategicArgs, _ *files) (any, error) { return threeWay(a) })
}

// shape is an empty object of the kind: its struct tags say how lists merge.
func shape(a *strategicArgs) (runtime.Object, error) {
	kind := schema.GroupVersionKind{Group: a.Group, Version: a.Version, Kind: a.Kind}
	found, err := scheme.Scheme.New(kind)
	if err != nil {
		return nil, failed("UnknownKind", "%s is not built into Kubernetes: use a merge patch", kind.String())
	}
	return found, nil
}

func applyStrategic(a *strategicArgs) ([]byte, error) {
	kind, err := shape(a)
	if err != nil {
		return nil, err
	}
	result, err := strategicpatch.StrategicMergePatch(a.Original, a.Patch, kind)
	return result, because("PatchInvalid", err)
}

// diffStrategic is the patch that makes original into modified.
func diffStrategic(a *strategicArgs) ([]byte, error) {
	kind, err := shape(a)
	if err != nil {
		return nil, err
	}
	result, err := strategicpatch.CreateTwoWayMergePatch(a.Original, a.Modified, kind)
	return result, because("PatchInvalid", err)
}

// threeWay is kubectl apply's patch: what was applied last, what is wanted, what there is.
func threeWay(a *strategicArgs) ([]byte, error) {
	kind, err := shape(a)
	if err != nil {
		return nil, err
	}
	meta, err := strategicpatch.NewPatchMetaFromStruct(kind)
	if err != nil {
		return nil, because("PatchInvalid", err)
	}
	result, err := strategicpatch.CreateThreeWayMergePatch(a.Original, a.Modified, a.Current, meta, true)
	return result, because("PatchInvalid", err)
}
