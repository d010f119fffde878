{{/* The upstreams by registry, without those that are `null`. */}}
{{- define "arc-primer.upstreams" -}}
{{- range $host, $upstream := .Values.registryCache.upstreams }}
{{- if kindIs "map" $upstream }}
{{- if contains "@" (default "" $upstream.url) }}
{{- fail (printf "registryCache.upstreams.%s.url: it must not contain credentials; set credentialsSecret to the name of a Secret" $host) }}
{{- end }}
{{ $host | quote }}: {{ merge (dict) $upstream (dict "url" (printf "https://%s" $host)) | toJson }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The name of the cache for a registry. It ends with a hash if it would be too long, or if another registry could have the
same name. Takes a list: the context, and the registry. */}}
{{- define "arc-primer.cacheName" -}}
{{- $host := last . -}}
{{- $name := printf "%s-cache-%s" (include "arc-primer.fullname" (first .)) (regexReplaceAll "[^a-z0-9]+" $host "-") -}}
{{- if or (gt (len $name) 52) (regexMatch "[^a-z0-9.:]" $host) -}}
{{ trunc 43 $name | trimSuffix "-" }}-{{ sha256sum $host | trunc 8 }}
{{- else -}}
{{ $name }}
{{- end -}}
{{- end -}}

{{/* The fully qualified domain name of the cache for a registry. Takes a list: the context, and the registry. */}}
{{- define "arc-primer.cacheHost" -}}
{{- $root := first . -}}
{{ include "arc-primer.cacheName" . }}.{{ $root.Release.Namespace }}.svc.{{ $root.Values.registryCache.clusterDomain }}
{{- end -}}

{{/* The URL of the cache for a registry. Takes a list: the context, and the registry. */}}
{{- define "arc-primer.cacheURL" -}}
{{ empty (first .).Values.registryCache.tls.secretName | ternary "http" "https" }}://{{ include "arc-primer.cacheHost" . }}:5000
{{- end -}}

{{/* The labels by which the Service of a cache or a package bundle selects its pods. Takes a list: the context, and the name of
the cache or bundle. */}}
{{- define "arc-primer.cacheLabels" -}}
{{ include "arc-primer.selectorLabels" (first .) }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{/* A selector for the pods or Services of all caches. */}}
{{- define "arc-primer.cacheSelector" -}}
{{- $names := list -}}
{{- range $host, $_ := include "arc-primer.upstreams" . | fromYaml -}}
{{- $names = append $names (include "arc-primer.cacheName" (list $ $host)) -}}
{{- end -}}
matchLabels: {{- include "arc-primer.selectorLabels" . | nindent 2 }}
matchExpressions:
  - { key: app.kubernetes.io/component, operator: In, values: {{ toJson $names }} }
{{- end -}}
