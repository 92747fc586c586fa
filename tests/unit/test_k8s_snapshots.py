"""A whole run as it is sent, one for each tier, to be read. `pytest --inline-snapshot=fix` writes them anew."""

from pathlib import Path

from inline_snapshot import snapshot

from tests.unit.k8s_made import DIGEST, RUN, built, settings, spec, trainer
from trainyard.executors.base import RunId
from trainyard.executors.kubernetes.shown import as_yaml

ENV = {"JOB_ID": RUN.job_id, "CALLBACK_TOKEN": "hidden"}
ON_INJECTED_CODE = snapshot("""\
---
apiVersion: batch/v1
kind: Job
metadata:
  name: training-job-20261121-101112-abcd
  namespace: trainyard
  labels:
    app.kubernetes.io/name: trainer-x
    app.kubernetes.io/instance: training-job-20261121-101112-abcd
    app.kubernetes.io/component: training
    app.kubernetes.io/part-of: trainyard
    app.kubernetes.io/managed-by: trainyard
    trainyard/job-id: job-20261121-101112-abcd
    trainyard/attempt: '1'
    trainyard/trace-id: f00d
    trainyard/framework: x
    trainyard/tier: k8s
  annotations:
    trainyard/code-hash: ce28aa4f51574b1dc527757eb0e7951841b63018ff0565858a97a2cb41173ad2
spec:
  suspend: true
  backoffLimit: 0
  parallelism: 1
  completions: 1
  completionMode: NonIndexed
  activeDeadlineSeconds: 604800
  podReplacementPolicy: Failed
  podFailurePolicy:
    rules:
    - action: FailJob
      onPodConditions:
      - type: DisruptionTarget
        status: 'True'
  template:
    metadata:
      labels:
        app.kubernetes.io/name: trainer-x
        app.kubernetes.io/instance: training-job-20261121-101112-abcd
        app.kubernetes.io/component: training
        app.kubernetes.io/part-of: trainyard
        app.kubernetes.io/managed-by: trainyard
        trainyard/job-id: job-20261121-101112-abcd
        trainyard/attempt: '1'
        trainyard/trace-id: f00d
        trainyard/framework: x
        trainyard/tier: k8s
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 30
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
      - name: trainer
        image: localhost/trainer-x:dev
        imagePullPolicy: IfNotPresent
        env:
        - name: HOME
          value: /tmp
        - name: USER
          value: trainer
        - name: LOGNAME
          value: trainer
        - name: PYTHONUNBUFFERED
          value: '1'
        - name: PYTHONDONTWRITEBYTECODE
          value: '1'
        - name: JOB_ID
          value: job-20261121-101112-abcd
        - name: CALLBACK_TOKEN
          valueFrom:
            secretKeyRef:
              name: training-secret-job-20261121-101112-abcd
              key: CALLBACK_TOKEN
        resources:
          requests:
            cpu: 500m
            memory: 1Gi
          limits:
            memory: 1Gi
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop:
            - ALL
        terminationMessagePolicy: FallbackToLogsOnError
        volumeMounts:
        - name: code
          mountPath: /code
          readOnly: true
        - name: tmp
          mountPath: /tmp
        - name: shm
          mountPath: /dev/shm
        command:
        - python
        - /code/train.py
        workingDir: /code
      volumes:
      - name: code
        configMap:
          name: training-code-job-20261121-101112-abcd
          items:
          - key: train.py
            path: train.py
          - key: trainer.toml
            path: trainer.toml
          defaultMode: 292
      - name: tmp
        emptyDir: {}
      - name: shm
        emptyDir:
          medium: Memory
          sizeLimit: 256Mi
---
apiVersion: v1
kind: Secret
metadata:
  name: training-secret-job-20261121-101112-abcd
  namespace: trainyard
  labels:
    app.kubernetes.io/name: trainer-x
    app.kubernetes.io/instance: training-job-20261121-101112-abcd
    app.kubernetes.io/component: training
    app.kubernetes.io/part-of: trainyard
    app.kubernetes.io/managed-by: trainyard
    trainyard/job-id: job-20261121-101112-abcd
    trainyard/attempt: '1'
    trainyard/trace-id: f00d
    trainyard/framework: x
    trainyard/tier: k8s
immutable: true
type: Opaque
stringData:
  CALLBACK_TOKEN: (in Secret training-secret-job-20261121-101112-abcd)
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: training-code-job-20261121-101112-abcd
  namespace: trainyard
  labels:
    app.kubernetes.io/name: trainer-x
    app.kubernetes.io/instance: training-job-20261121-101112-abcd
    app.kubernetes.io/component: training
    app.kubernetes.io/part-of: trainyard
    app.kubernetes.io/managed-by: trainyard
    trainyard/job-id: job-20261121-101112-abcd
    trainyard/attempt: '1'
    trainyard/trace-id: f00d
    trainyard/framework: x
    trainyard/tier: k8s
immutable: true
data:
  train.py: |
    print('한글', 1)
  trainer.toml: |2

    framework = "x"
    title = "X"
    resources = { cpu = "500m", memory = "1Gi", shm = "256Mi" }
    params.epochs = { type = "int", default = 3 }
    tasks.classify = { models = ["a"], default_model = "a", best_metric = "m" }
""")
AN_IMAGE_RELAUNCHED = snapshot("""\
---
apiVersion: batch/v1
kind: Job
metadata:
  name: training-job-20261121-101112-abcd-2
  namespace: trainyard
  labels:
    app.kubernetes.io/name: trainer-x
    app.kubernetes.io/instance: training-job-20261121-101112-abcd-2
    app.kubernetes.io/component: training
    app.kubernetes.io/part-of: trainyard
    app.kubernetes.io/managed-by: trainyard
    trainyard/job-id: job-20261121-101112-abcd
    trainyard/attempt: '2'
    trainyard/trace-id: f00d
    trainyard/framework: x
    trainyard/tier: image
spec:
  suspend: true
  backoffLimit: 0
  parallelism: 1
  completions: 1
  completionMode: NonIndexed
  activeDeadlineSeconds: 604800
  podReplacementPolicy: Failed
  podFailurePolicy:
    rules:
    - action: FailJob
      onPodConditions:
      - type: DisruptionTarget
        status: 'True'
  template:
    metadata:
      labels:
        app.kubernetes.io/name: trainer-x
        app.kubernetes.io/instance: training-job-20261121-101112-abcd-2
        app.kubernetes.io/component: training
        app.kubernetes.io/part-of: trainyard
        app.kubernetes.io/managed-by: trainyard
        trainyard/job-id: job-20261121-101112-abcd
        trainyard/attempt: '2'
        trainyard/trace-id: f00d
        trainyard/framework: x
        trainyard/tier: image
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 30
      automountServiceAccountToken: false
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        seccompProfile:
          type: RuntimeDefault
      containers:
      - name: trainer
        image: ghcr.io/me/trainer-x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        imagePullPolicy: IfNotPresent
        env:
        - name: HOME
          value: /tmp
        - name: USER
          value: trainer
        - name: LOGNAME
          value: trainer
        - name: PYTHONUNBUFFERED
          value: '1'
        - name: PYTHONDONTWRITEBYTECODE
          value: '1'
        - name: JOB_ID
          value: job-20261121-101112-abcd
        - name: CALLBACK_TOKEN
          valueFrom:
            secretKeyRef:
              name: training-secret-job-20261121-101112-abcd-2
              key: CALLBACK_TOKEN
        resources:
          requests:
            cpu: 500m
            memory: 1Gi
            nvidia.com/gpu: '1'
          limits:
            memory: 1Gi
            nvidia.com/gpu: '1'
        securityContext:
          allowPrivilegeEscalation: false
          readOnlyRootFilesystem: true
          capabilities:
            drop:
            - ALL
        terminationMessagePolicy: FallbackToLogsOnError
        volumeMounts:
        - name: tmp
          mountPath: /tmp
        - name: shm
          mountPath: /dev/shm
      volumes:
      - name: tmp
        emptyDir: {}
      - name: shm
        emptyDir:
          medium: Memory
          sizeLimit: 256Mi
      tolerations:
      - key: nvidia.com/gpu
        operator: Exists
        effect: NoSchedule
---
apiVersion: v1
kind: Secret
metadata:
  name: training-secret-job-20261121-101112-abcd-2
  namespace: trainyard
  labels:
    app.kubernetes.io/name: trainer-x
    app.kubernetes.io/instance: training-job-20261121-101112-abcd-2
    app.kubernetes.io/component: training
    app.kubernetes.io/part-of: trainyard
    app.kubernetes.io/managed-by: trainyard
    trainyard/job-id: job-20261121-101112-abcd
    trainyard/attempt: '2'
    trainyard/trace-id: f00d
    trainyard/framework: x
    trainyard/tier: image
immutable: true
type: Opaque
stringData:
  CALLBACK_TOKEN: (in Secret training-secret-job-20261121-101112-abcd-2)
""")


def test_a_job_on_injected_code(tmp_path: Path) -> None:
    trainer(tmp_path)
    made = built(settings(tmp_path), spec(env=ENV)).without_secrets()
    assert as_yaml([made.job, *made.owned]) == ON_INJECTED_CODE


def test_the_second_attempt_of_an_image_with_a_gpu(tmp_path: Path) -> None:
    trainer(tmp_path)
    again = spec(RunId(RUN.job_id, 2, RUN.trace_id), ENV)
    made = built(settings(tmp_path), again, tier="image", image=DIGEST, gpus=1).without_secrets()
    assert as_yaml([made.job, *made.owned]) == AN_IMAGE_RELAUNCHED
