// Package codegen stands in for the C# code generator, which the docker-build provider imports only to describe its
// C# SDK in its schema. The module is not served by every Go proxy, and nothing of it runs.
package codegen

// CSharpPackageInfo has the fields that the provider sets, named in the schema as the generator names them.
type CSharpPackageInfo struct {
	PackageReferences    map[string]string `json:"packageReferences,omitempty"`
	RespectSchemaVersion bool              `json:"respectSchemaVersion,omitempty"`
}
