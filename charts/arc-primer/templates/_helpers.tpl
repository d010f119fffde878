{{/* The name of everything in this release. */}}
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

{{- define "arc-primer.mode" -}}
{{ dig "mode" "enforce" (default (dict) .Values.config) }}
{{- end -}}

{{/* An image, by digest or tag. Takes a list: the image's values, and the tag where they name none. */}}
{{- define "arc-primer.image" -}}
{{- $image := first . -}}
{{- $image.repository }}{{ if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default (last .) $image.tag }}{{ end -}}
{{- end -}}

{{/* The name that the API server calls the webhook by. */}}
{{- define "arc-primer.host" -}}
{{ include "arc-primer.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end -}}

{{/* The Secret with the certificates. The providers have each their own, so that a change of provider is no quarrel. */}}
{{- define "arc-primer.tlsSecret" -}}
{{- $fullname := include "arc-primer.fullname" . -}}
{{- if eq .Values.tls.provider "existing-secret" -}}
{{ required "tls.existingSecret.name: name the Secret that holds tls.crt and tls.key" .Values.tls.existingSecret.name }}
{{- else if eq .Values.tls.provider "cert-manager" -}}
{{ $fullname }}-tls
{{- else -}}
{{ $fullname }}-self-managed
{{- end -}}
{{- end -}}

{{/* What Pod Security `restricted` asks of a pod and of a container. */}}
{{- define "arc-primer.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: { type: RuntimeDefault }
{{- end -}}
{{- define "arc-primer.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* By these the Service, the budget and the policies know the webhook's pods. */}}
{{- define "arc-primer.webhookLabels" -}}
{{ include "arc-primer.selectorLabels" . }}
app.kubernetes.io/component: webhook
{{- end -}}
