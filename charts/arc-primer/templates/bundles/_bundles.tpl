{{/* The bundles as a YAML list. Each entry of packageBundles appears once for each of its architectures, with `architecture`,
`name` and the defaults added. */}}
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
{{- fail (printf "packageBundles[%d].profile: profile %s is not defined in config.profiles" $index $bundle.profile) }}
{{- end }}
{{- $bundle = merge (dict) $bundle (fromJson $defaults) }}
{{- range $bundle.architectures }}
{{- $name := include "arc-primer.bundleName" (list $root $bundle .) }}
{{- if has $name $names }}
{{- fail (printf "packageBundles[%d]: duplicate bundle for the profile %s, the image %s and the architecture %s" $index $bundle.profile $bundle.image .) }}
{{- end }}
{{- $names = append $names $name }}
- {{ merge (dict "architecture" . "name" $name) $bundle | toJson }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The name of a bundle's objects and of its key in the index. The hash distinguishes images and architectures. Takes a list:
the context, the bundle, and its architecture. */}}
{{- define "arc-primer.bundleName" -}}
{{- $bundle := index . 1 -}}
{{- $hash := list $bundle.profile $bundle.image (last .) | join "\n" | sha256sum | trunc 8 -}}
{{- printf "%s-bundle-%s" (include "arc-primer.fullname" (first .)) (replace "." "-" $bundle.profile) | trunc 43 | trimSuffix "-" -}}
-{{ $hash }}
{{- end -}}

{{/* The name of the index (a ConfigMap) and of the service account that writes it. */}}
{{- define "arc-primer.bundleIndex" -}}
{{ include "arc-primer.fullname" . }}-bundles
{{- end -}}

{{/* A selector for the pods or Services of all bundles. */}}
{{- define "arc-primer.bundleSelector" -}}
{{- $names := list -}}
{{- range include "arc-primer.bundles" . | fromYamlArray -}}
{{- $names = append $names .name -}}
{{- end -}}
matchLabels: {{- include "arc-primer.selectorLabels" . | nindent 2 }}
matchExpressions:
  - { key: app.kubernetes.io/component, operator: In, values: {{ toJson $names }} }
{{- end -}}

{{/* The webhook's volume with the index. It contains only entries of bundles in the values, because other entries are for
bundles that no longer exist. */}}
{{- define "arc-primer.bundleVolume" -}}
{{- $items := list -}}
{{- range include "arc-primer.bundles" . | fromYamlArray -}}
{{- $items = append $items (dict "key" .name "path" .name) -}}
{{- end -}}
{{ dict "name" "bundles" "configMap" (dict "name" (include "arc-primer.bundleIndex" .) "optional" true "items" $items) | toYaml }}
{{- end -}}
