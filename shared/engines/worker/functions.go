package main

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	gotemplate "text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"github.com/gosimple/slug"
	"sigs.k8s.io/yaml"
)

// functionSet is what templates may call: sprig without the environment and the network, and what Argo CD adds.
func functionSet(name string, commits map[string]any) (gotemplate.FuncMap, error) {
	functions := safeSprig()
	switch name {
	case "", "sprig", "notifications":
	case "applicationset":
		functions["normalize"] = normalize
		functions["slugify"] = slugify
		functions["toYaml"] = toYAML
		functions["fromYaml"] = fromYAML[map[string]any]
		functions["fromYamlArray"] = fromYAML[[]any]
	default:
		return nil, failed("BadArguments", "there is no set of functions %q", name)
	}
	return functions, nil
}

func safeSprig() map[string]any {
	functions := sprig.GenericFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	return functions
}

const maxDNSName = 253

var notInDNSNames = regexp.MustCompile(`[^-a-z0-9.]`)

func normalize(name string) string {
	name = notInDNSNames.ReplaceAllString(strings.ToLower(name), "-")
	if len(name) > maxDNSName {
		name = name[:maxDNSName]
	}
	return strings.Trim(name, "-.")
}

// slugify takes a name, before it optionally a length and whether to cut between words only.
func slugify(args ...any) (string, error) {
	length, smart, name := 50, false, ""
	for _, arg := range args {
		switch v := arg.(type) {
		case int:
			length = v
		case bool:
			smart = v
		case string:
			name = v
		default:
			return "", errors.New("slugify takes a length, true or false, and a name")
		}
	}
	slug.MaxLength, slug.EnableSmartTruncate = length, smart
	return slug.Make(normalize(name)), nil
}

func toYAML(value any) (string, error) {
	text, err := yaml.Marshal(value)
	return strings.TrimSuffix(string(text), "\n"), err
}

func fromYAML[T any](text string) (T, error) {
	var value T
	err := yaml.Unmarshal([]byte(text), &value)
	return value, err
}

// withHelpers adds to a notification's variables what its templates and conditions may call.
func withHelpers(set string, data any, commits map[string]any) any {
	variables, isMap := data.(map[string]any)
	if set != "notifications" || !isMap {
		return data
	}
	out := map[string]any{"time": timeHelpers(), "strings": stringHelpers(), "repo": repoHelpers(commits)}
	for name, value := range variables {
		out[name] = value
	}
	return out
}

func timeHelpers() map[string]any {
	return map[string]any{
		"Parse":      func(text string) (time.Time, error) { return time.Parse(time.RFC3339, text) },
		"Now":        time.Now,
		"Nanosecond": time.Nanosecond, "Microsecond": time.Microsecond, "Millisecond": time.Millisecond,
		"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour,
		"Layout": time.Layout, "ANSIC": time.ANSIC, "UnixDate": time.UnixDate, "RFC822": time.RFC822, "RFC850": time.RFC850,
		"RFC1123": time.RFC1123, "RFC3339": time.RFC3339, "RFC3339Nano": time.RFC3339Nano, "Kitchen": time.Kitchen,
		"Stamp": time.Stamp, "StampMilli": time.StampMilli, "RFC1123Z": time.RFC1123Z, "RFC822Z": time.RFC822Z,
	}
}

func stringHelpers() map[string]any {
	return map[string]any{"ReplaceAll": strings.ReplaceAll, "ToUpper": strings.ToUpper, "ToLower": strings.ToLower}
}

// repoHelpers answer from commits that the caller knows beforehand: a template can't reach the repository.
func repoHelpers(commits map[string]any) map[string]any {
	return map[string]any{
		"RepoURLToHTTPS":    toHTTPS,
		"FullNameByRepoURL": fullName,
		"QueryEscape":       url.QueryEscape,
		"GetCommitMetadata": func(sha string) any { return commits[sha] },
		"GetAppDetails":     func() any { return map[string]any{} },
	}
}

var scpLike = regexp.MustCompile(`^(?:ssh://)?(?:[^@/]+@)?([^:/]+)[:/](.+)$`)

func toHTTPS(address string) string {
	if strings.HasPrefix(address, "http") {
		return strings.TrimSuffix(address, ".git")
	}
	if parts := scpLike.FindStringSubmatch(address); parts != nil {
		return "https://" + parts[1] + "/" + strings.TrimSuffix(parts[2], ".git")
	}
	return address
}

func fullName(address string) string {
	parsed, err := url.Parse(toHTTPS(address))
	if err != nil {
		return ""
	}
	return strings.Trim(strings.TrimSuffix(parsed.Path, ".git"), "/")
}
