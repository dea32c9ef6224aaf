//! helm: charts.

use super::{Client, Does, Install, Step};
use crate::interop::versions::HELM as TOOL;

pub(super) const HELM: Client = Client {
    name: "helm",
    about: "Charts for Kubernetes",
    install: Install::Go(TOOL),
    prepare: "",
    steps: &[
        Step {
            does: Does::Login,
            run: "helm registry login $REGISTRY --username me --password-stdin <<< $TOKEN",
        },
        Step {
            does: Does::Push,
            run: "\
helm create hello
helm package --version 1.0.0+build.1 hello
helm push hello-1.0.0+build.1.tgz oci://$REGISTRY/helm",
        },
        Step {
            does: Does::Pull,
            run: "\
mkdir pulled
helm pull oci://$REGISTRY/helm/hello --version 1.0.0+build.1 --destination pulled
cmp pulled/hello-1.0.0+build.1.tgz hello-1.0.0+build.1.tgz",
        },
        Step {
            does: Does::Also("show"),
            run: "helm show chart oci://$REGISTRY/helm/hello --version 1.0.0+build.1 | grep 'version: 1.0.0+build.1'",
        },
        Step {
            does: Does::Also("template"),
            run: "helm template release oci://$REGISTRY/helm/hello | grep 'kind: Deployment'",
        },
        Step {
            does: Does::Also("install --dry-run"),
            run: "helm install --dry-run=client release oci://$REGISTRY/helm/hello | grep 'STATUS: pending-install'",
        },
        Step {
            does: Does::Also("dependencies by range"),
            run: "\
helm create parent
printf 'dependencies:\\n- name: hello\\n  version: \"^1\"\\n  repository: oci://%s/helm\\n' $REGISTRY >> parent/Chart.yaml
helm dependency update parent
cmp parent/charts/hello-1.0.0+build.1.tgz hello-1.0.0+build.1.tgz",
        },
        Step {
            does: Does::PlainHttp,
            run: "\
helm registry login --plain-http $LOCAL --username me --password-stdin <<< $LOCAL_TOKEN
helm push --plain-http hello-1.0.0+build.1.tgz oci://$LOCAL/helm
helm show chart --plain-http oci://$LOCAL/helm/hello | grep 'version: 1.0.0+build.1'",
        },
    ],
};
