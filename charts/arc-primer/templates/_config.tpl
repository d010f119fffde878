{{/* The PrimerConfiguration from the values. The caches, with their CA, are added as the last mirrors of the default profile.
On clusters without native sidecars (before Kubernetes 1.29), DinD is added as an ordinary container, unless a profile sets
another layout. The webhook reports errors in the configuration when it starts, when it reads it again, and in `helm test`. */}}
{{- define "arc-primer.config" -}}
{{- $config := deepCopy (default (dict) .Values.config) -}}
{{- if .Values.registryCache.enabled -}}
{{- $profiles := default (dict) $config.profiles -}}
{{- $default := default (dict) $profiles.default -}}
{{- $registries := default (dict) $default.registries -}}
{{- $caBundle := .Values.registryCache.tls.caBundle -}}
{{- range $host, $_ := include "arc-primer.upstreams" . | fromYaml -}}
{{- $mirror := dict "url" (include "arc-primer.cacheURL" (list $ $host)) -}}
{{- if $caBundle }}{{ $_ := set $mirror "privateCA" true }}{{ end -}}
{{- $registry := default (dict) (get $registries $host) -}}
{{- $own := (include "arc-primer.inherited" (list $profiles "default" (list "registries" $host "mirrors")) | fromYaml).value -}}
{{- $_ := set $registries $host (set $registry "mirrors" (append (default (list) $own) $mirror)) -}}
{{- end -}}
{{- $_ := set $default "registries" $registries -}}
{{- if $caBundle -}}
{{- $sources := dict -}}
{{- range $source := list "pem" "configMap" "secret" -}}
{{- $_ := set $sources $source (include "arc-primer.inherited" (list $profiles "default" (list "privateCA" $source)) | fromYaml).value -}}
{{- end -}}
{{- if not (or $sources.configMap $sources.secret) -}}
{{- $pem := list $sources.pem $caBundle | compact | join "\n" -}}
{{- $_ := set $default "privateCA" (set (default (dict) $default.privateCA) "pem" $pem) -}}
{{- range $name, $profile := $profiles -}}
{{- $own := default (dict) (default (dict) $profile).privateCA -}}
{{- if and (ne $name "default") (include "arc-primer.extendsDefault" (list $profiles $name)) -}}
{{- if $own.pem }}{{ $_ := set $own "pem" (list $own.pem $caBundle | join "\n") }}{{ end -}}
{{- if or $own.configMap $own.secret -}}
{{- printf "registryCache.tls.caBundle: the profile %s, which extends default, gets its certificates from a ConfigMap or a Secret. Add the CA of the caches to that object, and set the same source in the default profile." $name | fail -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
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

{{/* Not empty if a profile extends `default`, directly or indirectly. Takes a list: the profiles and the profile's name. */}}
{{- define "arc-primer.extendsDefault" -}}
{{- $profiles := index . 0 -}}{{- $name := index . 1 -}}
{{- range $profiles -}}
{{- $name = default "" (default (dict) (get $profiles $name)).extends -}}
{{- if eq $name "default" }}true{{ end -}}
{{- end -}}
{{- end -}}

{{/* A setting of a profile, or of the nearest base that has it, as `value: …`. `{}` if none has it. Takes a list: the profiles,
the profile, and the setting's keys. Ends even if profiles extend each other, which the webhook rejects. */}}
{{- define "arc-primer.inherited" -}}
{{- $profiles := index . 0 -}}{{- $name := index . 1 -}}{{- $keys := index . 2 -}}
{{- $found := dict -}}
{{- range $profiles -}}
{{- if and $name (not (hasKey $found "value")) -}}
{{- $profile := default (dict) (get $profiles $name) -}}
{{- $at := $profile -}}
{{- range initial $keys }}{{ $at = default (dict) (get $at .) }}{{ end -}}
{{- if hasKey $at (last $keys) }}{{ $_ := set $found "value" (get $at (last $keys)) }}{{ end -}}
{{- $name = $profile.extends -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}
