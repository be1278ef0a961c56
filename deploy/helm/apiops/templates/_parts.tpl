{{- define "apiops.labels" -}}
app.kubernetes.io/name: apiops
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "apiops.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end }}
{{- end }}

{{/* What both pods are: nobody in particular, and closed as Pod Security's "restricted" asks for. */}}
{{- define "apiops.pod" -}}
serviceAccountName: {{ .Release.Name }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 120
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "apiops.container" -}}
image: {{ include "apiops.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "apiops.mounts" -}}
- {name: data, mountPath: /data}
- {name: tmp, mountPath: /tmp}
- {name: settings, mountPath: /etc/apiops, readOnly: true}
{{- if .Values.secrets.wrappingKey }}
- {name: wrapping, mountPath: /run/secrets/apiops/wrapping, readOnly: true}
{{- end }}
{{- if .Values.secrets.age }}
- {name: age, mountPath: /run/secrets/apiops/age, readOnly: true}
{{- end }}
{{- if .Values.secrets.database }}
- {name: database, mountPath: /run/secrets/apiops/database, readOnly: true}
{{- end }}
{{- if .Values.secrets.git }}
- {name: git, mountPath: /run/secrets/apiops/git, readOnly: true}
{{- end }}
{{- end }}

{{- define "apiops.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
- name: settings
  configMap: {name: {{ .Release.Name }}-settings}
{{- with .Values.secrets.wrappingKey }}
- name: wrapping
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.secrets.age }}
- name: age
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.secrets.database }}
- name: database
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- with .Values.secrets.git }}
- name: git
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "apiops.sync" -}}
{{ include "apiops.pod" . }}
containers:
  - name: sync
    {{- include "apiops.container" . | nindent 4 }}
    args:
      - sync
      - --config=/etc/apiops/apiops.toml
      - --directory=/data/clone
      - {{ printf "--clone=%s" .Values.sync.repository | quote }}
      {{- if hasPrefix "ssh://" .Values.sync.repository }}
      - --git-ssh-key=/run/secrets/apiops/git/key
      - --git-known-hosts=/run/secrets/apiops/git/known_hosts
      {{- else if .Values.secrets.git }}
      - --git-token-file=/run/secrets/apiops/git/token
      {{- end }}
      - --fetch=origin
      - {{ printf "--ref=%s" .Values.sync.ref | quote }}
      - {{ printf "--target=%s" .Values.sync.target | quote }}
      - --output=jsonl
      {{- with .Values.sync.interval }}
      - {{ printf "--interval=%s" . | quote }}
      {{- end }}
      {{- range .Values.sync.flags }}
      - {{ . | quote }}
      {{- end }}
    resources: {{ toYaml .Values.sync.resources | nindent 6 }}
    volumeMounts: {{ include "apiops.mounts" . | nindent 6 }}
volumes:
  - name: data
    emptyDir: {sizeLimit: 2Gi}
  {{- include "apiops.volumes" . | nindent 2 }}
{{- end }}

{{- define "apiops.peers" -}}
{{- range . }}
- to:
    - {{ toYaml .to | nindent 6 | trim }}
  ports:
    - {port: {{ .port }}, protocol: TCP}
{{- end }}
{{- end }}
