package main

import "runtime/debug"

// linkedVersions are the modules in this binary: what a result may depend on.
func linkedVersions() map[string]string {
	versions := map[string]string{}
	info, known := debug.ReadBuildInfo()
	if !known {
		return versions
	}
	for _, module := range info.Deps {
		versions[module.Path] = module.Version
		if module.Replace != nil {
			versions[module.Path] = module.Replace.Version
		}
	}
	return versions
}
