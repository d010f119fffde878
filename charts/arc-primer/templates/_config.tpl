{{/* The PrimerConfiguration: the values; the caches as the last mirrors of the default profile; and, on clusters without
native sidecars (before Kubernetes 1.29), DinD that is added as an ordinary container, unless a profile says otherwise. */}}
{{- define "arc-primer.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.registryCache.enabled -}}
{{- $profiles := default (dict) $config.profiles -}}
{{- $default := default (dict) $profiles.default -}}
{{- $registries := default (dict) $default.registries -}}
{{- range $host, $_ := include "arc-primer.upstreams" . | fromYaml -}}
{{- $url := printf "http://%s.%s.svc:5000" (include "arc-primer.cacheName" (list $ $host)) $.Release.Namespace -}}
{{- $own := dig $host "mirrors" (list) $registries | default (list) -}}
{{- $_ := set $registries $host (dict "mirrors" (append $own (dict "url" $url))) -}}
{{- end -}}
{{- $_ := set $default "registries" $registries -}}
{{- $_ := set $profiles "default" $default -}}
{{- $_ := set $config "profiles" $profiles -}}
{{- end -}}
{{- if semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version -}}
{{- range $_, $profile := $config.profiles -}}
{{- $docker := dig "docker" (dict) (default (dict) $profile) | default (dict) -}}
{{- if $docker.inject -}}
{{- $_ := set $docker "injected" (merge (default (dict) $docker.injected) (dict "layout" "container")) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "arc-primer.checkConfig" $config -}}
{{- merge (dict "apiVersion" "arc-primer.dev/v1alpha1" "kind" "PrimerConfiguration") $config | toYaml -}}
{{- end -}}

{{/* Refuses what the schema has no words for. The webhook would refuse it, too, but only once it runs. */}}
{{- define "arc-primer.checkConfig" -}}
{{- $known := keys (default (dict) .profiles) | concat (list "default") | uniq | sortAlpha -}}
{{- range $name, $profile := .profiles -}}
{{- $path := printf "config.profiles.%s" $name -}}
{{- with (default (dict) $profile).extends -}}
{{- include "arc-primer.knownProfile" (list $known . (printf "%s.extends" $path)) -}}
{{- end -}}
{{- range $host, $registry := (default (dict) $profile).registries -}}
{{- range $index, $mirror := (default (dict) $registry).mirrors -}}
{{- if contains "@" (regexFind "^[a-zA-Z]+://[^/]*" $mirror.url) -}}
{{- fail (printf "%s.registries.%s.mirrors[%d].url: a mirror's URL must not contain credentials" $path $host $index) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $index, $rule := .rules -}}
{{- include "arc-primer.knownProfile" (list $known $rule.profile (printf "config.rules[%d].profile" $index)) -}}
{{- range $position, $name := $rule.allowedProfiles -}}
{{- include "arc-primer.knownProfile" (list $known $name (printf "config.rules[%d].allowedProfiles[%d]" $index $position)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "arc-primer.knownProfile" -}}
{{- $known := index . 0 -}}{{- $name := index . 1 -}}{{- $path := index . 2 -}}
{{- if not (has $name $known) -}}
{{- fail (printf "%s: there is no profile %s; there are: %s" $path $name (join ", " $known)) -}}
{{- end -}}
{{- end -}}
