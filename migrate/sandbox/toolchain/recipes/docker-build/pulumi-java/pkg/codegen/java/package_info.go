// Package java stands in for the Java code generator, which the docker-build provider imports only to describe its
// Java SDK in its schema. The module is not served by every Go proxy, and nothing of it runs.
package java

// PackageInfo has the fields that the provider sets, named in the schema as the generator names them.
type PackageInfo struct {
	BuildFiles                      string            `json:"buildFiles,omitempty"`
	GradleNexusPublishPluginVersion string            `json:"gradleNexusPublishPluginVersion,omitempty"`
	Dependencies                    map[string]string `json:"dependencies,omitempty"`
}
