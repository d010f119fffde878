{{/* The upstreams by registry; `null` has taken one away. */}}
{{- define "arc-primer.upstreams" -}}
{{- range $host, $upstream := .Values.registryCache.upstreams }}
{{- if kindIs "map" $upstream }}
{{- if contains "@" (default "" $upstream.url) }}
{{- fail (printf "registryCache.upstreams.%s.url: it must not contain credentials; name a Secret as credentialsSecret" $host) }}
{{- end }}
{{ $host | quote }}: {{ merge (dict) $upstream (dict "url" (printf "https://%s" $host)) | toJson }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The name of the cache for a registry: one that is too long, or that another registry could have as well, ends in a
hash. Takes a list: the context, and the registry. */}}
{{- define "arc-primer.cacheName" -}}
{{- $host := last . -}}
{{- $name := printf "%s-cache-%s" (include "arc-primer.fullname" (first .)) (regexReplaceAll "[^a-z0-9]+" $host "-") -}}
{{- if or (gt (len $name) 52) (regexMatch "[^a-z0-9.:]" $host) -}}
{{ trunc 43 $name | trimSuffix "-" }}-{{ sha256sum $host | trunc 8 }}
{{- else -}}
{{ $name }}
{{- end -}}
{{- end -}}

{{/* The host name of the cache for a registry, in full. Takes a list: the context, and the registry. */}}
{{- define "arc-primer.cacheHost" -}}
{{- $root := first . -}}
{{ include "arc-primer.cacheName" . }}.{{ $root.Release.Namespace }}.svc.{{ $root.Values.registryCache.clusterDomain }}
{{- end -}}

{{/* The URL of the cache for a registry. Takes a list: the context, and the registry. */}}
{{- define "arc-primer.cacheURL" -}}
{{ empty (first .).Values.registryCache.tls.secretName | ternary "http" "https" }}://{{ include "arc-primer.cacheHost" . }}:5000
{{- end -}}

{{/* By these the Service of a cache, or of a package bundle, knows its pods. Takes a list: the context, and its name. */}}
{{- define "arc-primer.cacheLabels" -}}
{{ include "arc-primer.selectorLabels" (first .) }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{/* A selector of all caches' pods, or Services. */}}
{{- define "arc-primer.cacheSelector" -}}
{{- $names := list -}}
{{- range $host, $_ := include "arc-primer.upstreams" . | fromYaml -}}
{{- $names = append $names (include "arc-primer.cacheName" (list $ $host)) -}}
{{- end -}}
matchLabels: {{- include "arc-primer.selectorLabels" . | nindent 2 }}
matchExpressions:
  - { key: app.kubernetes.io/component, operator: In, values: {{ toJson $names }} }
{{- end -}}
