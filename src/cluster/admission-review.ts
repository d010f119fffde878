/**
 * The AdmissionReview that kube-apiserver sends for a pod that ARC's controller creates.
 *
 * @param changes fields of the request to override
 */
export function admissionReview(pod: unknown, namespace: string, changes: object = {}): object {
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      requestKind: { group: "", version: "v1", kind: "Pod" },
      requestResource: { group: "", version: "v1", resource: "pods" },
      name: (pod as { metadata?: { name?: string } } | null)?.metadata?.name,
      namespace,
      operation: "CREATE",
      userInfo: { username: "system:serviceaccount:arc-systems:arc-gha-rs-controller" },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      ...changes,
    },
  };
}
