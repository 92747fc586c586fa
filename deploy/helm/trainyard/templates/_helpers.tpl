{{/* Everything here takes the root, but where it says otherwise. */}}

{{- define "trainyard.secret" -}}
{{ .Values.secrets.existing | default (printf "%s-secrets" .Release.Name) }}
{{- end }}

{{/* Fills .Values.made, once: what was given, else what is in the cluster, else something random. */}}
{{- define "trainyard.make" -}}
{{- if not .Values.made }}
{{- $kept := (lookup "v1" "Secret" .Release.Namespace (include "trainyard.secret" .)).data | default dict }}
{{- $made := dict }}
{{- range $key, $given := dict
  "token" .Values.secrets.token
  "signing-key" .Values.secrets.signingKey
  "s3-access-key" .Values.s3.accessKey
  "s3-secret-key" .Values.s3.secretKey
  "s3-inner-key" ""
  "database-password" "" }}
{{- $_ := set $made $key ($given | default (get $kept $key | b64dec) | default (printf "ty%s" (randAlphaNum 40))) }}
{{- end }}
{{- $url := "" }}
{{- if eq .Values.database.type "postgresql" }}
{{- $own := printf "postgresql://trainyard:%s@%s-postgresql:5432/trainyard" (get $made "database-password") .Release.Name }}
{{- $url = .Values.database.url | default $own }}
{{- end }}
{{- $_ := set .Values "made" (set $made "database-url" $url) }}
{{- end }}
{{- end }}

{{/* Of pods that read the Secret: when it changes they start anew. The random keys in it keep the sum from telling. */}}
{{- define "trainyard.sum" -}}
{{- if not .Values.secrets.existing }}
{{- include "trainyard.make" . -}}
trainyard/secrets: {{ toJson .Values.made | sha256sum }}
{{- end }}
{{- end }}

{{- define "trainyard.s3Url" -}}
{{ .Values.s3.endpoint | default (printf "http://%s-storage:9000" .Release.Name) }}
{{- end }}

{{- define "trainyard.mlflowUrl" -}}
{{ .Values.mlflow.url | default (printf "http://%s-mlflow:5000" .Release.Name) }}
{{- end }}

{{- define "trainyard.ownPostgresql" -}}
{{ if and (eq .Values.database.type "postgresql") (not .Values.database.url) (not .Values.secrets.existing) }}yes{{ end }}
{{- end }}

{{/* (list root component) */}}
{{- define "trainyard.selector" -}}
app.kubernetes.io/name: trainyard
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "trainyard.labels" -}}
{{ include "trainyard.selector" . }}
app.kubernetes.io/part-of: trainyard
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{/* (list root name) */}}
{{- define "trainyard.image" -}}
{{- $image := (index . 0).Values.image -}}
image: {{ $image.prefix }}trainyard-{{ index . 1 }}:{{ $image.tag }}
imagePullPolicy: {{ $image.pullPolicy }}
{{- end }}

{{/* (list root uid): what keeps a pod of ours small in the namespace's strictest pod security level */}}
{{- define "trainyard.pod" -}}
enableServiceLinks: false # a Service `trainyard` would set TRAINYARD_PORT
securityContext:
  runAsNonRoot: true
  runAsUser: {{ index . 1 }}
  runAsGroup: {{ index . 1 }}
  fsGroup: {{ index . 1 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with (index . 0).Values.image.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "trainyard.locked" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* (list variable secret key) */}}
{{- define "trainyard.secretVariable" -}}
- name: {{ index . 0 }}
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 }}}}
{{- end }}

{{/* (list root size) */}}
{{- define "trainyard.claim" -}}
- metadata: {name: data}
  spec:
    accessModes: [ReadWriteOnce]
    {{- if kindIs "string" (index . 0).Values.storageClass }}
    storageClassName: {{ (index . 0).Values.storageClass | quote }}
    {{- end }}
    resources: {requests: {storage: {{ index . 1 }}}}
{{- end }}

{{/* (list root component name port targetPort nodePort) */}}
{{- define "trainyard.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ index . 2 }}
  labels: {{ include "trainyard.labels" . | nindent 4 }}
spec:
  type: {{ if index . 5 }}NodePort{{ else }}ClusterIP{{ end }}
  selector: {{ include "trainyard.selector" . | nindent 4 }}
  ports:
    - port: {{ index . 3 }}
      targetPort: {{ index . 4 }}
      {{- with index . 5 }}
      nodePort: {{ . }}
      {{- end }}
{{- end }}

{{/* of an address: its port */}}
{{- define "trainyard.port" -}}
{{- $url := urlParse . -}}
{{ regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- end }}
