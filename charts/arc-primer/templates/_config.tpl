{{/* The PrimerConfiguration: the values; the caches as the last mirrors of the default profile; and, on clusters without
native sidecars (before Kubernetes 1.29), DinD that is added as an ordinary container, unless a profile says otherwise. */}}
{{- define "arc-primer.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- include "arc-primer.checkConfig" $config -}}
{{- if .Values.registryCache.enabled -}}
{{- $profiles := default (dict) $config.profiles -}}
{{- $default := default (dict) $profiles.default -}}
{{- $registries := default (dict) $default.registries -}}
{{- range $host, $_ := include "arc-primer.upstreams" . | fromYaml -}}
{{- $url := printf "http://%s.%s.svc:5000" (include "arc-primer.cacheName" (list $ $host)) $.Release.Namespace -}}
{{- $registry := default (dict) (get $registries $host) -}}
{{- $own := include "arc-primer.mirrors" (list $profiles "default" $host) | fromYamlArray -}}
{{- $_ := set $registries $host (set $registry "mirrors" (append $own (dict "url" $url))) -}}
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
{{- merge (dict "apiVersion" "arc-primer.dev/v1alpha1" "kind" "PrimerConfiguration") $config | toYaml -}}
{{- end -}}

{{/* A profile's mirrors for a registry, its own or its base's. Takes a list: the profiles, the profile, the registry. */}}
{{- define "arc-primer.mirrors" -}}
{{- $profiles := index . 0 -}}{{- $host := index . 2 -}}
{{- $profile := default (dict) (get $profiles (index . 1)) -}}
{{- $registry := default (dict) (get (default (dict) $profile.registries) $host) -}}
{{- if hasKey $registry "mirrors" -}}
{{- toYaml $registry.mirrors -}}
{{- else if $profile.extends -}}
{{- include "arc-primer.mirrors" (list $profiles $profile.extends $host) -}}
{{- end -}}
{{- end -}}

{{/* Refuses what the schema has no words for. The webhook would refuse it, too, but only once it runs. */}}
{{- define "arc-primer.checkConfig" -}}
{{- $known := keys (default (dict) .profiles) | concat (list "default") | uniq | sortAlpha -}}
{{- range $name, $profile := .profiles -}}
{{- $path := printf "config.profiles.%s" $name -}}
{{- with (default (dict) $profile).extends -}}
{{- include "arc-primer.knownProfile" (list $known . (printf "%s.extends" $path)) -}}
{{- end -}}
{{- end -}}
{{- range $name, $profile := .profiles -}}
{{- include "arc-primer.extendsNoneTwice" (list $.profiles $name (list)) -}}
{{- $path := printf "config.profiles.%s" $name -}}
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

{{/* Takes a list: the profiles, the profile, and the profiles that led to it. */}}
{{- define "arc-primer.extendsNoneTwice" -}}
{{- $profiles := index . 0 -}}{{- $name := index . 1 -}}{{- $seen := index . 2 -}}
{{- if has $name $seen -}}
{{- fail (printf "config.profiles.%s.extends: the profile extends itself" $name) -}}
{{- end -}}
{{- with (default (dict) (get $profiles $name)).extends -}}
{{- include "arc-primer.extendsNoneTwice" (list $profiles . (append $seen $name)) -}}
{{- end -}}
{{- end -}}

{{- define "arc-primer.knownProfile" -}}
{{- $known := index . 0 -}}{{- $name := index . 1 -}}{{- $path := index . 2 -}}
{{- if not (has $name $known) -}}
{{- fail (printf "%s: there is no profile %s; there are: %s" $path $name (join ", " $known)) -}}
{{- end -}}
{{- end -}}
