/** Trainers, datasets and jobs for the tests of the form. */
import type { Dataset, Job, Schemas, Trainer } from '~/api/client';
import { check } from './check';
import { type Draft, type Offered, startDraft } from './draft';
import type { Parameter } from './params';
import { wrongWords } from './wrong';

export const parameter = (part: Partial<Parameter> & Pick<Parameter, 'type' | 'default'>): Parameter => ({
  help: '',
  help_ko: '',
  core: false,
  ...part,
});

export const manifest = (part: Partial<Schemas['Manifest']>): Schemas['Manifest'] => ({
  framework: 'yolo',
  title: 'YOLO',
  description: '',
  license: '',
  callbacks: true,
  entrypoint: 'train.py',
  command: [],
  distributed: false,
  predict: { entrypoint: 'predict.py', command: [], warm: true },
  preload: [],
  resources: {},
  params: {
    epochs: parameter({ type: 'int', default: 10, min: 1, max: 100, core: true }),
    image_size: parameter({ type: 'int', default: 640, min: 32 }),
    rate: parameter({ type: 'float', default: 0.01, min: 1e-9, max: 1 }),
    optimizer: parameter({ type: 'str', default: 'auto', choices: ['auto', 'SGD'] }),
  },
  tasks: {
    detect: {
      models: ['n', 's'],
      default_model: 'n',
      model_pattern: 'x[0-9]+',
      best_metric: 'mAP',
      best_goal: 'max',
      defaults: {},
    },
    classify: {
      models: ['n-cls'],
      default_model: 'n-cls',
      best_metric: 'top1',
      best_goal: 'max',
      defaults: { image_size: 224 },
    },
  },
  samples: {},
  ...part,
});

export const trainer = (framework: string, part: Partial<Schemas['Manifest']> = {}): Trainer => ({
  framework,
  usable: true,
  problem: '',
  environment: 'ready',
  manifest: manifest({ framework, ...part }),
});

export const dataset = (id: string, tasks: Schemas['Task'][], part: Partial<Dataset> = {}): Dataset => ({
  id,
  project_id: 'default',
  name: id,
  tasks,
  summary: {},
  bytes: 1,
  sha256: '',
  created_at: 0,
  version: 1,
  check: { state: 'done', progress: 1, errors: 0, warnings: 0 },
  ready: true,
  not_ready_because: [],
  jobs: 0,
  ...part,
});

export const broken: Trainer = {
  framework: 'broken',
  usable: false,
  problem: 'no',
  environment: 'missing',
  manifest: null,
};
export const small = trainer('small', {
  params: { epochs: parameter({ type: 'int', default: 3 }) },
  tasks: { classify: { models: ['mlp'], default_model: 'mlp', best_metric: 'a', best_goal: 'max', defaults: {} } },
});

export const offered = (part: Partial<Offered> = {}): Offered => ({
  trainers: [broken, small, trainer('yolo')],
  datasets: [dataset('boxes', ['detect']), dataset('classes', ['classify'])],
  execution: 'local',
  projectId: 'default',
  origin: null,
  ...part,
});

export const start = (all: Offered, framework = 'yolo'): Draft => startDraft(all, { framework }, () => null);
export const said = (all: Offered, draft: Draft) =>
  Object.fromEntries([...check(all, draft)].map(([field, wrong]) => [field, wrong(wrongWords.en)]));

export const job = (part: Partial<Job>): Job =>
  ({
    id: 'job-1',
    project_id: 'default',
    name: 'first',
    tags: ['a'],
    notes: '',
    execution: 'k8s',
    framework: 'yolo',
    task: 'detect',
    model: 's',
    dataset_id: 'boxes',
    params: { epochs: 5, image_size: 320, rate: 0.01, optimizer: 'SGD', gone: 1 },
    priority: 2,
    gpus: null,
    resources: {
      cpu: '2',
      gpus: 1,
      tolerations: [{ key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' }],
    },
    keep_epochs: 0,
    ...part,
  }) as Job;
