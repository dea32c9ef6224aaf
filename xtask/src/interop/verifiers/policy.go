// `policy POLICY REGISTRIES REFERENCE FOLDER`: what `skopeo copy` and `podman pull` do, by the library that both are made of. An artifact is
// copied to a folder, if the policy allows it.
package main

import (
	"context"
	"fmt"
	"os"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/directory"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/types"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "policy POLICY REGISTRIES REFERENCE FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(policyFile, registries, reference, folder string) error {
	policy, err := signature.NewPolicyFromFile(policyFile)
	if err != nil {
		return err
	}
	allows, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	from, err := docker.ParseReference("//" + reference)
	if err != nil {
		return err
	}
	to, err := directory.NewReference(folder)
	if err != nil {
		return err
	}
	// As `--src-tls-verify=false`.
	system := &types.SystemContext{RegistriesDirPath: registries, DockerInsecureSkipTLSVerify: types.OptionalBoolTrue}
	_, err = copy.Image(context.Background(), allows, to, from, &copy.Options{SourceCtx: system, DestinationCtx: system})
	return err
}
