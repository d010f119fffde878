{{/* The bundles as a YAML list: an entry of packageBundles for each of its architectures, with `architecture`, `name` and the
defaults in it. */}}
{{- define "arc-primer.bundles" -}}
{{- $defaults := `{
  "architectures": ["amd64"], "interval": "24h", "buildTimeout": "30m", "sizeLimit": "2Gi", "replicas": 1,
  "imagePullPolicy": "IfNotPresent",
  "build": { "resources": { "requests": { "cpu": "100m", "memory": "256Mi" }, "limits": { "memory": "2Gi" } } },
  "serve": { "resources": { "requests": { "cpu": "10m", "memory": "64Mi" }, "limits": { "memory": "256Mi" } } }
}` -}}
{{- $root := . -}}
{{- $profiles := default dict (default dict .Values.config).profiles -}}
{{- $names := list -}}
{{- range $index, $bundle := .Values.packageBundles }}
{{- if not (or (eq $bundle.profile "default") (hasKey $profiles $bundle.profile)) }}
{{- fail (printf "packageBundles[%d].profile: there is no profile %s in config.profiles" $index $bundle.profile) }}
{{- end }}
{{- $bundle = merge (dict) $bundle (fromJson $defaults) }}
{{- range $bundle.architectures }}
{{- $name := include "arc-primer.bundleName" (list $root $bundle .) }}
{{- if has $name $names }}
{{- fail (printf "packageBundles[%d]: the profile %s has a bundle for the image %s and %s already" $index $bundle.profile $bundle.image .) }}
{{- end }}
{{- $names = append $names $name }}
- {{ merge (dict "architecture" . "name" $name) $bundle | toJson }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The name of all that belongs to a bundle, and of its key in the index: the hash tells images and architectures apart.
Takes a list: the context, the bundle, and its architecture. */}}
{{- define "arc-primer.bundleName" -}}
{{- $bundle := index . 1 -}}
{{- $hash := list $bundle.profile $bundle.image (last .) | join "\n" | sha256sum | trunc 8 -}}
{{- printf "%s-bundle-%s" (include "arc-primer.fullname" (first .)) (replace "." "-" $bundle.profile) | trunc 43 | trimSuffix "-" -}}
-{{ $hash }}
{{- end -}}

{{/* The name of the index, a ConfigMap, and of the account that fills it. */}}
{{- define "arc-primer.bundleIndex" -}}
{{ include "arc-primer.fullname" . }}-bundles
{{- end -}}

{{/* A selector of all bundles' pods, or Services. */}}
{{- define "arc-primer.bundleSelector" -}}
{{- $names := list -}}
{{- range include "arc-primer.bundles" . | fromYamlArray -}}
{{- $names = append $names .name -}}
{{- end -}}
matchLabels: {{- include "arc-primer.selectorLabels" . | nindent 2 }}
matchExpressions:
  - { key: app.kubernetes.io/component, operator: In, values: {{ toJson $names }} }
{{- end -}}

{{/* What the webhook mounts of the index: the entries of the bundles in the values. Others are of bundles that are gone. */}}
{{- define "arc-primer.bundleVolume" -}}
{{- $items := list -}}
{{- range include "arc-primer.bundles" . | fromYamlArray -}}
{{- $items = append $items (dict "key" .name "path" .name) -}}
{{- end -}}
{{ dict "name" "bundles" "configMap" (dict "name" (include "arc-primer.bundleIndex" .) "optional" true "items" $items) | toYaml }}
{{- end -}}
