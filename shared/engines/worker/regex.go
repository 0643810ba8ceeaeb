package main

import "regexp"

type regexArgs struct {
	Pattern     string   `msgpack:"pattern"`
	Texts       []string `msgpack:"texts"`
	Replacement string   `msgpack:"replacement"`
}

type regexFound struct {
	Names  []string `msgpack:"names"`
	Groups [][]any  `msgpack:"groups"`
}

func init() {
	on("regex.match", regex(func(p *regexp.Regexp, a *regexArgs) any { return matches(p, a.Texts) }))
	on("regex.find", regex(func(p *regexp.Regexp, a *regexArgs) any { return find(p, a.Texts) }))
	on("regex.replace", regex(func(p *regexp.Regexp, a *regexArgs) any { return replace(p, a) }))
}

func regex(do func(*regexp.Regexp, *regexArgs) any) func(*regexArgs, *files) (any, error) {
	return func(a *regexArgs, _ *files) (any, error) {
		pattern, err := regexp.Compile(a.Pattern)
		if err != nil {
			return nil, because("PatternInvalid", err)
		}
		return do(pattern, a), nil
	}
}

func matches(pattern *regexp.Regexp, texts []string) []bool {
	answers := make([]bool, len(texts))
	for i, text := range texts {
		answers[i] = pattern.MatchString(text)
	}
	return answers
}

// find has for each text the first match and its groups, or nil; a group that took no part is nil.
func find(pattern *regexp.Regexp, texts []string) *regexFound {
	found := &regexFound{Names: pattern.SubexpNames(), Groups: make([][]any, len(texts))}
	for i, text := range texts {
		at := pattern.FindStringSubmatchIndex(text)
		for j := 0; j < len(at); j += 2 {
			var group any
			if at[j] >= 0 {
				group = text[at[j]:at[j+1]]
			}
			found.Groups[i] = append(found.Groups[i], group)
		}
	}
	return found
}

func replace(pattern *regexp.Regexp, a *regexArgs) []string {
	answers := make([]string, len(a.Texts))
	for i, text := range a.Texts {
		answers[i] = pattern.ReplaceAllString(text, a.Replacement)
	}
	return answers
}
