package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/validation/field"
	podutil "k8s.io/kubernetes/pkg/api/pod"
	"k8s.io/kubernetes/pkg/apis/core"
	corev1 "k8s.io/kubernetes/pkg/apis/core/v1"
	"k8s.io/kubernetes/pkg/apis/core/validation"
	hashutil "k8s.io/kubernetes/pkg/util/hash"
	kjson "sigs.k8s.io/json"
)

type podArgs struct {
	Template   []byte `msgpack:"template"`
	Collisions *int32 `msgpack:"collisions"`
	Path       string `msgpack:"path"`
	Legacy     bool   `msgpack:"legacy"`
}

type podProblem struct {
	_msgpack struct{} `msgpack:",as_array"`
	Kind     string
	Field    string
	Message  string
}

func init() {
	on("pods.hash", func(a *podArgs, _ *files) (any, error) { return hashTemplate(a) })
	on("pods.json_hash", func(a *podArgs, _ *files) (any, error) { return hashTemplateJSON(a) })
	on("pods.default", func(a *podArgs, _ *files) (any, error) { return defaultTemplate(a) })
	on("pods.validate", func(a *podArgs, _ *files) (any, error) { return validateTemplate(a) })
}

func readTemplate(data []byte) (*v1.PodTemplateSpec, error) {
	var template v1.PodTemplateSpec
	if err := kjson.UnmarshalCaseSensitivePreserveInts(data, &template); err != nil {
		return nil, failed("TemplateInvalid", "the pod template can't be read: %v", err)
	}
	return &template, nil
}

// hashTemplate is the value that Kubernetes' Deployment controller writes as pod-template-hash.
func hashTemplate(a *podArgs) (string, error) {
	template, err := readTemplate(a.Template)
	if err != nil {
		return "", err
	}
	hasher := fnv.New32a()
	hashutil.DeepHashObject(hasher, *template)
	return encoded(hasher, a.Collisions), nil
}

// hashTemplateJSON is the value that Argo Rollouts writes as rollouts-pod-template-hash.
func hashTemplateJSON(a *podArgs) (string, error) {
	template, err := readTemplate(a.Template)
	if err != nil {
		return "", err
	}
	data, err := json.Marshal(template)
	if err == nil && a.Legacy {
		data, err = legacyJSON(template)
	}
	if err != nil {
		return "", err
	}
	hasher := fnv.New32a()
	hasher.Write(data)
	return encoded(hasher, a.Collisions), nil
}

// legacyJSON is the template as Kubernetes' libraries before 0.34 wrote it: with an empty creationTimestamp.
func legacyJSON(template *v1.PodTemplateSpec) ([]byte, error) {
	after := template.ObjectMeta
	after.Name, after.GenerateName, after.Namespace, after.SelfLink = "", "", "", ""
	after.UID, after.ResourceVersion, after.Generation = "", "", 0
	before := template.ObjectMeta
	before.DeletionTimestamp, before.DeletionGracePeriodSeconds, before.Labels, before.Annotations = nil, nil, nil, nil
	before.OwnerReferences, before.Finalizers, before.ManagedFields = nil, nil, nil
	parts := [][]byte{}
	for _, each := range []any{before, struct {
		At any `json:"creationTimestamp"`
	}{}, after} {
		part, err := json.Marshal(each)
		if err != nil {
			return nil, err
		}
		if inner := part[1 : len(part)-1]; len(inner) > 0 {
			parts = append(parts, inner)
		}
	}
	spec, err := json.Marshal(template.Spec)
	return fmt.Appendf(nil, `{"metadata":{%s},"spec":%s}`, bytes.Join(parts, []byte(",")), spec), err
}

type hash32 interface {
	Write([]byte) (int, error)
	Sum32() uint32
}

func encoded(hasher hash32, collisions *int32) string {
	if collisions != nil {
		count := make([]byte, 8)
		binary.LittleEndian.PutUint32(count, uint32(*collisions))
		hasher.Write(count)
	}
	return rand.SafeEncodeString(fmt.Sprint(hasher.Sum32()))
}

func defaultTemplate(a *podArgs) ([]byte, error) {
	template, err := readTemplate(a.Template)
	if err != nil {
		return nil, err
	}
	whole := v1.PodTemplate{Template: *template}
	corev1.SetObjectDefaults_PodTemplate(&whole)
	return json.Marshal(whole.Template)
}

// validateTemplate defaults and validates as the API server does for a Deployment's template.
func validateTemplate(a *podArgs) ([]podProblem, error) {
	template, err := readTemplate(a.Template)
	if err != nil {
		return nil, err
	}
	whole := v1.PodTemplate{Template: *template}
	corev1.SetObjectDefaults_PodTemplate(&whole)
	var internal core.PodTemplateSpec
	if err := corev1.Convert_v1_PodTemplateSpec_To_core_PodTemplateSpec(&whole.Template, &internal, nil); err != nil {
		return nil, because("TemplateInvalid", err)
	}
	options := podutil.GetValidationOptionsFromPodTemplate(&internal, nil)
	at := field.NewPath(a.Path)
	problems := []podProblem{}
	for _, each := range validation.ValidatePodTemplateSpec(&internal, at, options) {
		problems = append(problems, podProblem{Kind: string(each.Type), Field: each.Field, Message: each.ErrorBody()})
	}
	return problems, nil
}
