{{- define "gpu-monitoring.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Short enough for "-exporter" behind it. */}}
{{- define "gpu-monitoring.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "gpu-monitoring.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "gpu-monitoring.api" -}}{{ include "gpu-monitoring.fullname" . }}-api{{- end -}}
{{- define "gpu-monitoring.exporter" -}}{{ include "gpu-monitoring.fullname" . }}-exporter{{- end -}}

{{/* What never changes: selectors are immutable. (list ROOT COMPONENT) */}}
{{- define "gpu-monitoring.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "gpu-monitoring.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* (list ROOT COMPONENT [MORE LABELS]) */}}
{{- define "gpu-monitoring.labels" -}}
{{- $root := index . 0 -}}
{{- $own := include "gpu-monitoring.selector" (list $root (index . 1)) | fromYaml -}}
{{- $own = merge $own (dict
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/version" $root.Chart.AppVersion
      "app.kubernetes.io/managed-by" $root.Release.Service
      "app.kubernetes.io/part-of" "gpu-monitoring") -}}
{{- if gt (len .) 2 }}{{- $own = merge $own (index . 2) }}{{- end -}}
{{- toYaml (merge $own $root.Values.commonLabels) -}}
{{- end -}}

{{/* metadata of an object: (dict "root" ROOT "name" NAME "component" COMPONENT ["namespace" "labels" "annotations"]) */}}
{{- define "gpu-monitoring.metadata" -}}
name: {{ .name }}
namespace: {{ default .root.Release.Namespace .namespace }}
labels:
  {{- include "gpu-monitoring.labels" (list .root .component (default dict .labels)) | nindent 2 }}
{{- with merge (dict) (default dict .annotations) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* (list ROOT IMAGE) */}}
{{- define "gpu-monitoring.image" -}}
{{- $root := index . 0 -}}{{- $image := index . 1 -}}
{{- with default $root.Values.global.imageRegistry $image.registry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default $root.Chart.AppVersion $image.tag }}{{ end -}}
{{- end -}}

{{/* (list ROOT COMPONENT): the name of its service account */}}
{{- define "gpu-monitoring.account" -}}
{{- $root := index . 0 -}}{{- $account := (index $root.Values (index . 1)).serviceAccount -}}
{{- if $account.create -}}
{{- default (include (printf "gpu-monitoring.%s" (index . 1)) $root) $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{/* "yes" or nothing: (list ROOT auto|true|false). Kinds of the Prometheus operator. */}}
{{- define "gpu-monitoring.operator" -}}
{{- $root := index . 0 -}}{{- $wanted := toString (index . 1) -}}
{{- if eq $wanted "true" -}}yes
{{- else if and (eq $wanted "auto") ($root.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") -}}yes
{{- end -}}
{{- end -}}

{{/* The rules of "restricted" for a pod: (dict "user" USER) */}}
{{- define "gpu-monitoring.podSecurity" -}}
runAsNonRoot: {{ ne (toString .user) "0" }}
{{- if not (kindIs "invalid" .user) }}
runAsUser: {{ int .user }}
runAsGroup: {{ int .user }}
fsGroup: {{ int .user }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "gpu-monitoring.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What all pods have: (dict "root" ROOT "component" api|exporter "of" VALUES) */}}
{{- define "gpu-monitoring.podCommon" -}}
serviceAccountName: {{ include "gpu-monitoring.account" (list .root .component) }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .of.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The files of secrets: file in the pod, option, reference. One row each. */}}
{{- define "gpu-monitoring.secretFiles" -}}
{{- $p := .Values.prometheus -}}
- {file: prometheus-token, option: prometheus_bearer_token_file, from: {{ toJson $p.bearerTokenSecret }}}
- {file: prometheus-basic-auth, option: prometheus_basic_auth_file, from: {{ toJson $p.basicAuthSecret }}}
- {file: prometheus-headers, option: prometheus_headers_file, from: {{ toJson $p.headersSecret }}}
- {file: prometheus-ca, option: prometheus_ca_file, from: {{ toJson $p.caSecret }}}
- {file: prometheus-ca, option: prometheus_ca_file, from: {{ toJson $p.caConfigMap }}, kind: configMap}
- {file: api-token, option: api_bearer_token_file, from: {{ toJson .Values.api.bearerTokenSecret }}}
- {file: hakuriver-token, option: hakuriver_token_file, from: {{ toJson .Values.api.hakuriver.tokenSecret }}}
{{- end -}}

{{/* The server's configuration file, as YAML. */}}
{{- define "gpu-monitoring.config" -}}
{{- $p := .Values.prometheus -}}{{- $a := .Values.api -}}
{{- $c := dict
      "prometheus_url" $p.url
      "prometheus_timeout" $p.timeout
      "prometheus_max_concurrency" (int $p.maxConcurrency)
      "prometheus_max_response_bytes" (toString $p.maxResponseBytes)
      "prometheus_gzip" $p.gzip
      "prometheus_allow_link_local" $p.allowLinkLocal
      "port" (int $a.port)
      "grpc_health_port" (int $a.grpcPort)
      "log_level" $a.logLevel
      "cache_ttl" $a.cacheTtl
      "max_stale" $a.maxStale
      "request_timeout" $a.requestTimeout
      "drain_delay" $a.drainDelay
      "connection_max_age" $a.connectionMaxAge
      "process_commands" $a.processCommands
      "ready_requires_prometheus" $a.readyRequiresPrometheus
      "stream_max_clients" (int $a.streamMaxClients) -}}
{{- with $a.basePath }}{{- $_ := set $c "base_path" . }}{{- end -}}
{{- with $a.corsAllowedOrigins }}{{- $_ := set $c "cors_allowed_origins" (join "," .) }}{{- end -}}
{{- with $a.dstackUrl }}{{- $_ := set $c "dstack_url" . }}{{- end -}}
{{- with $a.hakuriver.url }}{{- $_ := set $c "hakuriver_url" . }}{{- end -}}
{{- if $a.schemas }}{{- $_ := set $c "schema_file" "/etc/gpu-monitoring/config/schemas.json" }}{{- end -}}
{{- if $p.headers }}{{- $_ := set $c "prometheus_headers_file" "/etc/gpu-monitoring/config/headers" }}{{- end -}}
{{- $rules := list -}}
{{- range $name, $value := $a.healthRules }}{{- $rules = append $rules (printf "%s=%v" $name $value) }}{{- end -}}
{{- with $rules }}{{- $_ := set $c "health_rules" (join ", " .) }}{{- end -}}
{{- $prices := list -}}
{{- range $a.gpuPrices }}{{- $prices = append $prices (printf "%s=%v" .model .price) }}{{- end -}}
{{- with $prices }}{{- $_ := set $c "gpu_prices" (join ", " .) }}{{- end -}}
{{- range include "gpu-monitoring.secretFiles" . | fromYamlArray }}
{{- if .from.name }}{{- $_ := set $c .option (printf "/etc/gpu-monitoring/secrets/%s" .file) }}{{- end -}}
{{- end -}}
{{- toYaml $c -}}
{{- end -}}

{{/* Seconds of a duration like 500ms, 5s, 2m, 1h, rounded up. */}}
{{- define "gpu-monitoring.seconds" -}}
{{- $n := regexFind "^[0-9]+" . | int -}}{{- $unit := regexFind "[a-z]+$" . -}}
{{- if eq $unit "ms" }}{{ ceil (divf $n 1000) | int }}{{ else if eq $unit "s" }}{{ $n }}{{ else if eq $unit "m" }}{{ mul $n 60 }}{{ else }}{{ mul $n 3600 }}{{ end -}}
{{- end -}}

{{/* Refuses what the types of values.schema.json cannot: values that contradict each other. */}}
{{- define "gpu-monitoring.check" -}}
{{- $p := .Values.prometheus -}}{{- $a := .Values.api -}}{{- $e := .Values.exporter -}}
{{- if and $p.headers $p.headersSecret.name -}}
{{- fail "prometheus.headers and prometheus.headersSecret.name are both set; the server takes one: put all headers into the Secret" -}}
{{- end -}}
{{- if and $p.caSecret.name $p.caConfigMap.name -}}
{{- fail "prometheus.caSecret.name and prometheus.caConfigMap.name are both set; keep one" -}}
{{- end -}}
{{- if and $p.bearerTokenSecret.name $p.basicAuthSecret.name -}}
{{- fail "prometheus.bearerTokenSecret.name and prometheus.basicAuthSecret.name are both set; keep one" -}}
{{- end -}}
{{- if and (eq $a.probes.type "grpc") (eq (int $a.grpcPort) 0) -}}
{{- fail "api.probes.type is grpc, but api.grpcPort is 0, which switches gRPC off; set a port or use http" -}}
{{- end -}}
{{- if eq (int $a.port) (int $a.grpcPort) -}}
{{- fail (printf "api.port and api.grpcPort are both %d; choose two ports" (int $a.port)) -}}
{{- end -}}
{{- if gt (include "gpu-monitoring.seconds" $p.timeout | int) (include "gpu-monitoring.seconds" $a.requestTimeout | int) -}}
{{- fail (printf "prometheus.timeout is %s, more than api.requestTimeout (%s): Prometheus must answer before the request ends; lower it or raise api.requestTimeout" $p.timeout $a.requestTimeout) -}}
{{- end -}}
{{- if gt (include "gpu-monitoring.seconds" $a.cacheTtl | int) 600 -}}
{{- fail (printf "api.cacheTtl is %s; the server takes 10m at most" $a.cacheTtl) -}}
{{- end -}}
{{- range splitList "/" $a.basePath }}
{{- if or (eq . ".") (eq . "..") -}}
{{- fail (printf "api.basePath is %s: no part of it may be . or .., which clients take out of a path" $a.basePath) -}}
{{- end -}}
{{- end -}}
{{- if gt (include "gpu-monitoring.seconds" .Values.monitor.scrapeTimeout | int) (include "gpu-monitoring.seconds" .Values.monitor.interval | int) -}}
{{- fail (printf "monitor.scrapeTimeout is %s, more than monitor.interval (%s): the operator refuses such a monitor" .Values.monitor.scrapeTimeout .Values.monitor.interval) -}}
{{- end -}}
{{- if and (regexMatch "://(169[.]254[.]|\\[[fF][eE][89abAB])" $p.url) (not $p.allowLinkLocal) -}}
{{- fail "prometheus.url names a link-local address, where clouds hand out their machines' credentials; the server refuses it unless prometheus.allowLinkLocal is true" -}}
{{- end -}}
{{- range regexFindAll "://[^/,]*:[0-9]+" $p.url -1 }}
{{- if gt (regexFind "[0-9]+$" . | int) 65535 -}}
{{- fail (printf "prometheus.url names the port %s; the highest is 65535" (regexFind "[0-9]+$" .)) -}}
{{- end -}}
{{- end -}}
{{- $needed := add (include "gpu-monitoring.seconds" $a.drainDelay | int) (include "gpu-monitoring.seconds" $a.requestTimeout | int) 5 -}}
{{- if lt (int $a.terminationGracePeriodSeconds) (int $needed) -}}
{{- fail (printf "api.terminationGracePeriodSeconds is %d, but a pod may need %d to end (drainDelay + requestTimeout + 5 s): it would be killed with requests in flight" (int $a.terminationGracePeriodSeconds) (int $needed)) -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- fail "autoscaling.minReplicas is more than autoscaling.maxReplicas" -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (eq (int .Values.autoscaling.targetCPUUtilizationPercentage) 0) (eq (int .Values.autoscaling.targetMemoryUtilizationPercentage) 0) -}}
{{- fail "autoscaling.enabled, but both of its targets are 0: set one" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.enabled, but ingress.hosts is empty; name the host: ingress.hosts={gpu.example.org}" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled, but httpRoute.parentRefs is empty; name the gateway" -}}
{{- end -}}
{{- if and $a.hakuriver.tokenSecret.name (not $a.hakuriver.url) -}}
{{- fail "api.hakuriver.tokenSecret.name is set without api.hakuriver.url" -}}
{{- end -}}
{{- if and $e.enabled $e.access.hostDevices.enabled $e.runtimeClassName -}}
{{- fail (printf "exporter.access.hostDevices is for nodes without NVIDIA's container runtime, but exporter.runtimeClassName is %s; set it to \"\"" $e.runtimeClassName) -}}
{{- end -}}
{{- range .Values.prometheusRule.schemas }}
{{- if not ($.Files.Get (printf "files/rules/%s.yaml" .)) -}}
{{- fail (printf "prometheusRule.schemas names %s, which this chart has no rules for; it has: %s" . (include "gpu-monitoring.ruleNames" $)) -}}
{{- end -}}
{{- end -}}
{{- $alerts := "" -}}
{{- range $_, $file := .Files.Glob "files/rules/*.yaml" }}{{ $alerts = print $alerts ($file | toString) }}{{ end -}}
{{- range .Values.prometheusRule.disabledAlerts }}
{{- if not (contains (printf "alert: %s\n" .) $alerts) -}}
{{- fail (printf "prometheusRule.disabledAlerts names %s, which no rule of this chart is called; docs/RUNBOOKS.md has their names" .) -}}
{{- end -}}
{{- end -}}
{{- include "gpu-monitoring.checkHealthRules" .Values.api.healthRules -}}
{{- include "gpu-monitoring.checkGlobals" . -}}
{{- end -}}

{{/* Pairs of rules with the server's defaults, which ends at once where the first is above the second. */}}
{{- define "gpu-monitoring.checkHealthRules" -}}
{{- $rules := dict "temperature_warning" 75 "temperature_critical" 85 "utilization_low" 10 "utilization_high" 95 "memory_warning" 90 "memory_critical" 95 "degraded" 60 "healthy" 80 -}}
{{- range $name, $value := . }}{{ $_ := set $rules $name $value }}{{ end -}}
{{- range list (list "temperature_warning" "temperature_critical") (list "utilization_low" "utilization_high") (list "memory_warning" "memory_critical") (list "degraded" "healthy") }}
{{- $low := index . 0 }}{{ $high := index . 1 -}}
{{- if gt (get $rules $low | float64) (get $rules $high | float64) -}}
{{- fail (printf "api.healthRules.%s (%v) must not be above api.healthRules.%s (%v)" $low (get $rules $low) $high (get $rules $high)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The globals of a parent are other charts' too; without a parent they are this chart's alone, and
what Rancher gives each chart. */}}
{{- define "gpu-monitoring.checkGlobals" -}}
{{- if .Chart.IsRoot -}}
{{- range $name, $_ := .Values.global }}
{{- if not (has $name (list "imageRegistry" "imagePullSecrets" "cattle" "systemDefaultRegistry")) -}}
{{- fail (printf "global.%s is no value of this chart, which knows global.imageRegistry and global.imagePullSecrets" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "gpu-monitoring.ruleNames" -}}
{{- $names := list -}}
{{- range $path, $_ := .Files.Glob "files/rules/*.yaml" }}{{- $names = append $names (base $path | trimSuffix ".yaml") }}{{- end -}}
{{- join ", " $names -}}
{{- end -}}
