{{/* The PrimerConfiguration: the values; the caches as the last mirrors of the default profile; and, on clusters without
native sidecars (before Kubernetes 1.29), DinD that is added as an ordinary container, unless a profile says otherwise. */}}
{{- define "arc-primer.config" -}}
{{- $config := deepCopy (default (dict) .Values.config) -}}
{{- include "arc-primer.checkConfig" $config -}}
{{- if .Values.registryCache.enabled -}}
{{- $profiles := default (dict) $config.profiles -}}
{{- $default := default (dict) $profiles.default -}}
{{- $registries := default (dict) $default.registries -}}
{{- range $host, $_ := include "arc-primer.upstreams" . | fromYaml -}}
{{- $url := printf "http://%s.%s.svc.%s:5000" (include "arc-primer.cacheName" (list $ $host)) $.Release.Namespace $.Values.registryCache.clusterDomain -}}
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
{{- if eq 7 (dig "docker" "wait" "exitCode" 0 (default (dict) $profile) | int) -}}
{{- fail (printf "%s.docker.wait.exitCode: ARC takes exit code 7 for an outdated runner" $path) -}}
{{- end -}}
{{- range $host, $registry := (default (dict) $profile).registries -}}
{{- include "arc-primer.registryName" (list $host (printf "%s.registries" $path)) -}}
{{- range $index, $mirror := (default (dict) $registry).mirrors -}}
{{- include "arc-primer.noCredentials" (list $mirror.url (printf "%s.registries.%s.mirrors[%d].url" $path $host $index)) -}}
{{- end -}}
{{- end -}}
{{- $apt := dig "prerequisites" "apt" (dict) (default (dict) $profile) -}}
{{- include "arc-primer.noCredentials" (list $apt.proxy (printf "%s.prerequisites.apt.proxy" $path)) -}}
{{- range $from, $to := $apt.mirrors -}}
{{- range $url := list $from $to -}}
{{- include "arc-primer.noCredentials" (list $url (printf "%s.prerequisites.apt.mirrors" $path)) -}}
{{- end -}}
{{- end -}}
{{- range $index, $source := $apt.sources -}}
{{- include "arc-primer.noCredentials" (list $source.url (printf "%s.prerequisites.apt.sources[%d].url" $path $index)) -}}
{{- end -}}
{{- end -}}
{{- range $index, $rule := .rules -}}
{{- include "arc-primer.knownProfile" (list $known $rule.profile (printf "config.rules[%d].profile" $index)) -}}
{{- range $position, $name := $rule.allowedProfiles -}}
{{- include "arc-primer.knownProfile" (list $known $name (printf "config.rules[%d].allowedProfiles[%d]" $index $position)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Takes a list: a URL or nothing, and its path. The URL is not repeated. */}}
{{- define "arc-primer.noCredentials" -}}
{{- if contains "@" (regexFind "^[a-zA-Z]+://[^/]*" (default "" (first .))) -}}
{{- fail (printf "%s: a mirror's URL must not contain credentials" (last .)) -}}
{{- end -}}
{{- end -}}

{{/* Takes a list: a registry, and the path of what it stands in. The schema could say it, but not where it is. */}}
{{- define "arc-primer.registryName" -}}
{{- if has (first .) (list "index.docker.io" "registry-1.docker.io" "hub.docker.com") -}}
{{- fail (printf "%s.%s: Docker Hub is called docker.io here" (last .) (first .)) -}}
{{- end -}}
{{- $host := `\[[0-9a-f:.]+\]|[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*` -}}
{{- $port := `[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]` -}}
{{- if not (regexMatch (printf `^(%s)(:0*(%s))?$` $host $port) (first .)) -}}
{{- fail (printf "%s: %q is not a registry like ghcr.io or harbor.example.com:8443" (last .) (first .)) -}}
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
