{{/* The name of the release's objects, or its prefix. */}}
{{- define "arc-primer.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "arc-primer.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "arc-primer.labels" -}}
{{ include "arc-primer.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* The metadata of an object. The chart's own labels take precedence over the object's, and those over commonLabels. Takes a
dictionary: root (the context), name, and optionally component, labels and annotations. */}}
{{- define "arc-primer.metadata" -}}
{{- $values := .root.Values -}}
{{- $own := include "arc-primer.labels" .root | fromYaml -}}
{{- with .component }}{{ $_ := set $own "app.kubernetes.io/component" . }}{{ end -}}
{{ dict "name" .name | toYaml }}
labels: {{- merge (dict) $own (default (dict) .labels) (default (dict) $values.commonLabels) | toYaml | nindent 2 }}
{{- with merge (dict) (default (dict) .annotations) (default (dict) $values.commonAnnotations) }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The metadata of a pod template. It has the same labels, but not the commonAnnotations, so that a change of them restarts no
pods. Takes a dictionary: root, component, labels, annotations. */}}
{{- define "arc-primer.podMetadata" -}}
{{- $own := include "arc-primer.labels" .root | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/component" .component -}}
labels: {{- merge (dict) $own (default (dict) .labels) (default (dict) .root.Values.commonLabels) | toYaml | nindent 2 }}
{{- with .annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "arc-primer.mode" -}}
{{ dig "mode" "enforce" (default (dict) .Values.config) }}
{{- end -}}

{{/* The webhook's image. */}}
{{- define "arc-primer.webhookImage" -}}
{{- $missing := "image.repository: no image is published for a chart from a checkout. Build an image with the Dockerfile, push it to a registry that your cluster can pull from, and set its name: --set image.repository=registry.example.com/arc-primer" -}}
{{- $_ := required $missing .Values.image.repository -}}
{{- include "arc-primer.image" (list . .Values.image .Chart.AppVersion) -}}
{{- end -}}

{{/* An image, by digest or tag. A registry at the beginning of the repository takes precedence over `registry`, and
global.imageRegistry over both. Takes a list: the context, the image's values, and the default tag. */}}
{{- define "arc-primer.image" -}}
{{- $global := default (dict) (index . 0).Values.global -}}
{{- $image := index . 1 -}}
{{- $path := $image.repository -}}
{{- $registry := $image.registry -}}
{{- $first := splitList "/" $path | first -}}
{{- if and (contains "/" $path) (or (regexMatch "[.:]" $first) (eq $first "localhost")) -}}
{{- $registry = $first -}}
{{- $path = trimPrefix (printf "%s/" $first) $path -}}
{{- end -}}
{{- with default $registry $global.imageRegistry }}{{ trimSuffix "/" . }}/{{ end }}{{ $path -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default (last .) $image.tag }}{{ end -}}
{{- end -}}

{{/* The pull Secrets of all pods, including those of `global`. Empty if there are none. */}}
{{- define "arc-primer.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (default (list) .Values.imagePullSecrets) (default (list) (default (dict) .Values.global).imagePullSecrets) -}}
{{- $secrets = append $secrets (kindIs "string" . | ternary (dict "name" .) .) -}}
{{- end -}}
{{- with uniq $secrets }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{/* The host name by which the API server calls the webhook. */}}
{{- define "arc-primer.host" -}}
{{ include "arc-primer.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end -}}

{{/* The webhook's service account. */}}
{{- define "arc-primer.serviceAccount" -}}
{{- $account := .Values.serviceAccount -}}
{{- if $account.create -}}
{{ default (include "arc-primer.fullname" .) $account.name }}
{{- else -}}
{{ required "serviceAccount.name: set the name of an existing service account, or set serviceAccount.create to true" $account.name }}
{{- end -}}
{{- end -}}

{{/* The Secret with the certificates. Each provider has its own, so that no Secret has two owners when the provider is changed. */}}
{{- define "arc-primer.tlsSecret" -}}
{{- $fullname := include "arc-primer.fullname" . -}}
{{- if eq .Values.tls.provider "existing-secret" -}}
{{ required "tls.existingSecret.name: set the name of the Secret with tls.crt and tls.key" .Values.tls.existingSecret.name }}
{{- else if eq .Values.tls.provider "cert-manager" -}}
{{ $fullname }}-tls
{{- else -}}
{{ $fullname }}-self-managed
{{- end -}}
{{- end -}}

{{/* "true" if another component writes the caBundle of the webhook configuration, which an annotation shows, such as
cert-manager.io/inject-ca-from-secret or service.beta.openshift.io/inject-cabundle. Otherwise empty. */}}
{{- define "arc-primer.caIsInjected" -}}
{{- range $key, $_ := .Values.webhook.annotations -}}
{{- if contains "/inject-" $key }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* A pod's security context. On OpenShift, the user and the groups are omitted, because OpenShift sets them. Takes a list: the
context, and a map with additional settings. */}}
{{- define "arc-primer.podSecurityContext" -}}
{{- $values := (first .).Values -}}
{{- $context := merge (dict) (default (dict) (last .)) (default (dict) $values.podSecurityContext) -}}
{{- if $values.openshift }}{{ $context = omit $context "runAsUser" "runAsGroup" "fsGroup" "supplementalGroups" }}{{ end -}}
{{- toYaml $context -}}
{{- end -}}

{{/* The labels by which the Service, the PodDisruptionBudget and the NetworkPolicies select the webhook's pods. */}}
{{- define "arc-primer.webhookLabels" -}}
{{ include "arc-primer.selectorLabels" . }}
app.kubernetes.io/component: webhook
{{- end -}}

{{/* Topology spread constraints with their selector. Takes a list: the constraints, and the pods' labels as text. */}}
{{- define "arc-primer.spread" -}}
{{- $labels := last . | fromYaml -}}
{{- range first . }}
- {{ merge (dict) (omit . "labelSelector") (dict "labelSelector" (dict "matchLabels" $labels)) | toYaml | nindent 2 | trim }}
{{- end -}}
{{- end -}}

{{/* The IP families in a Service's spec. */}}
{{- define "arc-primer.ipFamilies" -}}
{{- with .Values.service.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.service.ipFamilies }}
ipFamilies: {{ toJson . }}
{{- end }}
{{- end -}}

{{/* Rejects unknown settings in `global`. A subchart does not, because they may be for other charts. */}}
{{- define "arc-primer.checkGlobal" -}}
{{- if .Chart.IsRoot -}}
{{- range $key, $_ := .Values.global -}}
{{- if not (has $key (list "imageRegistry" "imagePullSecrets")) -}}
{{- fail (printf "global.%s: unknown setting; this chart supports global.imageRegistry and global.imagePullSecrets" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
