import { beforeEach, describe, expect, it } from 'vitest';
import { baseOf, datasetsFor, lostParams, startDraft, withDataset, withTask, withTrainer } from './draft';
import { forget, keep, lastTrainer, recall } from './kept';
import { dataset, job, offered, parameter, said, small, start, trainer } from './testing';
import { NO_WISHES } from './wishes';

describe('choosing', () => {
  it('begins with the trainer that was used last, its default model and a dataset that fits', () => {
    expect(start(offered())).toMatchObject({ framework: 'yolo', task: 'detect', model: 'n', datasetId: 'boxes' });
    expect(start(offered(), 'small')).toMatchObject({ framework: 'small', task: 'classify', datasetId: 'classes' });
    expect(start(offered(), 'broken').framework).toBe('small');
  });

  it('takes the dataset of the address, and a trainer and task for it', () => {
    const draft = startDraft(offered(), { datasetId: 'classes', framework: 'yolo' }, () => null);
    expect(draft).toMatchObject({ framework: 'yolo', task: 'classify', datasetId: 'classes' });
    expect(draft.params.image_size).toBe('224');
    const boxes = startDraft(offered(), { datasetId: 'boxes', framework: 'small' }, () => null);
    expect(boxes.framework).toBe('yolo');
  });

  it('takes defaults of another task for what was not touched', () => {
    const all = offered();
    const draft = { ...start(all), params: { ...start(all).params, epochs: '7' }, model: 'x12' };
    const next = withTask(all, draft, 'classify');
    expect(next.params).toMatchObject({ epochs: '7', image_size: '224' });
    expect(next).toMatchObject({ model: 'n-cls', datasetId: 'classes' });
  });

  it('keeps what a person wrote when the trainer changes', () => {
    const all = offered();
    const next = withTrainer(all, { ...start(all), name: 'mine', notes: 'why' }, 'small', null);
    expect(next).toMatchObject({ name: 'mine', notes: 'why', model: 'mlp', params: { epochs: '3' } });
  });

  it('takes up the task of a dataset that has just come', () => {
    const all = offered({ datasets: [] });
    const came = dataset('digits', ['classify']);
    expect(withDataset(all, start(all), came)).toMatchObject({ task: 'classify', datasetId: 'digits', model: 'n-cls' });
    expect(withDataset(all, start(all, 'small'), dataset('boxes', ['detect'])).datasetId).toBe('');
  });

  it('says why a dataset does not fit, after those that do', () => {
    const bad = dataset('bad', ['detect'], { ready: false, not_ready_because: ['No pictures.'] });
    const other = dataset('other', ['detect'], { project_id: 'else' });
    const all = offered({ datasets: [bad, dataset('classes', ['classify']), dataset('boxes', ['detect']), other] });
    expect(datasetsFor(all, 'default', 'detect').map((one) => [one.dataset.id, one.why?.kind])).toEqual([
      ['boxes', undefined],
      ['bad', 'notReady'],
      ['classes', 'task'],
    ]);
  });
});

describe('a clone', () => {
  it('takes everything over, and is modified against the job', () => {
    const all = offered({ origin: job({}) });
    const draft = start(all);
    expect(draft).toMatchObject({ model: 's', execution: 'k8s', tags: 'a', priority: '2', name: 'first' });
    expect(draft.params).toEqual({ epochs: '5', image_size: '320', rate: '0.01', optimizer: 'SGD' });
    expect(draft.wishes).toMatchObject({ cpu: '2', gpus: '1', tolerations: 'gpu=yes:NoSchedule' });
    expect(baseOf(all, 'yolo', 'detect')).toEqual(draft);
    expect(lostParams(all, 'yolo')).toEqual(['gone']);
    expect(said(all, draft)).toEqual({});
  });

  it('is itself again after a look at another trainer', () => {
    const all = offered({ origin: job({}) });
    const back = withTrainer(all, withTrainer(all, start(all), 'small', null), 'yolo', {
      task: 'detect',
      params: { epochs: '9' },
    });
    expect(back.params.epochs).toBe('5');
    expect(back).toMatchObject({ model: 's', execution: 'k8s', datasetId: 'boxes' });
  });

  it('shows what isn’t there any more', () => {
    const all = offered({ origin: job({ dataset_id: 'removed' }) });
    expect(said(all, start(all)).dataset_id).toContain('removed');
    const gone = offered({ origin: job({ framework: 'broken' }) });
    expect(said(gone, start(gone)).framework).toBeDefined();
  });
});

describe('checking', () => {
  it('finds nothing wrong with how it begins', () => {
    expect(said(offered(), start(offered()))).toEqual({});
  });

  it('names every field that is wrong as the backend does', () => {
    const all = offered();
    const draft = {
      ...start(all),
      params: { ...start(all).params, epochs: '0' },
      model: 'y',
      datasetId: '',
      priority: '1e3',
      tags: 'x'.repeat(61),
    };
    expect(said(all, draft)).toEqual({
      'params.epochs': 'At least 1.',
      model: 'The trainer has no model y for this task.',
      dataset_id: 'This is needed.',
      priority: 'Give a whole number.',
      tags: 'At most 60 characters.',
    });
    expect(said(all, { ...draft, datasetId: 'classes', model: 'x9' }).dataset_id).toContain('does not fit');
    expect(said(all, { ...draft, model: 'x9' }).model).toBeUndefined();
  });

  it('looks at wishes for a cluster only where there is one', () => {
    const all = offered();
    const draft = { ...start(all), wishes: { ...NO_WISHES, memory: '4GB' } };
    expect(said(all, draft)).toEqual({});
    expect(said(all, { ...draft, execution: 'k8s' as const })).toHaveProperty(['resources.memory']);
  });
});

describe('the last values', () => {
  beforeEach(() => localStorage.clear());

  it('come back for their trainer, without what no longer fits', () => {
    const all = offered();
    keep(all, { ...start(all), params: { ...start(all).params, epochs: '20' }, model: 's', keepEpochs: '2' });
    expect(lastTrainer()).toBe('yolo');
    expect(recall('yolo')).toMatchObject({ params: { epochs: '20' }, model: 's' });
    expect(recall('small')).toBeNull();

    const draft = startDraft(all, { framework: lastTrainer() }, recall);
    expect(draft).toMatchObject({ model: 's', keepEpochs: '2', datasetId: 'boxes' });
    expect(draft.params).toMatchObject({ epochs: '20', image_size: '640' });

    const fewer = trainer('yolo', {
      params: { patience: parameter({ type: 'int', default: 1 }) },
      tasks: small.manifest?.tasks,
    });
    const other = startDraft(offered({ trainers: [fewer], datasets: [] }), { framework: 'yolo' }, recall);
    expect(other).toMatchObject({ params: { patience: '1' }, model: 'mlp', datasetId: '' });
    forget('yolo');
    expect(recall('yolo')).toBeNull();
  });

  it('are as if not there when they can’t be read', () => {
    localStorage.setItem('trainyard.new-job.1.yolo', '{');
    expect(recall('yolo')).toBeNull();
    localStorage.setItem('trainyard.new-job.1.yolo', '{"task":"sing","params":{"epochs":5,"rate":"0.1"},"wishes":[]}');
    expect(recall('yolo')).toEqual({ params: { rate: '0.1' } });
  });
});
