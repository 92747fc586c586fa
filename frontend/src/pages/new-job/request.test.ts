import { describe, expect, it } from 'vitest';
import { ApiError } from '~/api/client';
import { commandOf, quoted } from './command';
import { bodyOf, fieldOf, makeKeys, standsIn } from './request';
import { offered, start } from './testing';
import { NO_WISHES } from './wishes';

describe('what is sent', () => {
  it('leaves defaults to the trainer, and wishes for a cluster at home', () => {
    const all = offered();
    const draft = {
      ...start(all),
      params: { ...start(all).params, rate: '1e-2', epochs: '20' },
      wishes: { ...NO_WISHES, cpu: '2', gpus: '0' },
      tags: 'a, b,a',
    };
    expect(bodyOf(all, draft)).toMatchObject({
      params: { epochs: 20 },
      gpus: 0,
      tags: ['a', 'b'],
      model: 'n',
      attached: false,
    });
    expect(bodyOf(all, draft)).not.toHaveProperty('resources');
    expect(bodyOf(all, { ...draft, execution: 'k8s' }).resources).toEqual({ cpu: '2', tolerations: [] });
  });

  it('has one key however often it is sent, and another for another request', () => {
    let count = 0;
    const keyOf = makeKeys(() => `key-${++count}`);
    const body = bodyOf(offered(), start(offered()));
    expect([keyOf(body), keyOf({ ...body }), keyOf({ ...body, name: 'x' })]).toEqual(['key-1', 'key-1', 'key-2']);
    expect(makeKeys()(body)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is refused field by field', () => {
    const refused = (field: string | null, code = 'invalid_input') => fieldOf(new ApiError(422, code, '', '', field));
    expect(refused('params.epochs.int')).toBe('params.epochs');
    expect(refused('resources.gpus')).toBe('gpus');
    expect(refused('tags.0')).toBe('tags');
    expect(refused('script')).toBeNull();
    expect(refused(null, 'not_available')).toBe('execution');
    expect(refused(null)).toBeNull();
    const draft = start(offered());
    expect(standsIn({ ...draft, model: 's' }, 'model')).not.toBe(standsIn(draft, 'model'));
    expect(standsIn({ ...draft, model: 's' }, 'params.epochs')).toBe(standsIn(draft, 'params.epochs'));
  });
});

describe('the command', () => {
  it('says what differs', () => {
    const all = offered();
    const draft = {
      ...start(all),
      params: { ...start(all).params, epochs: '20', rate: '0.5' },
      name: "it's mine; $(rm)",
      tags: '-x, 둘',
      priority: '-5',
      execution: 'k8s' as const,
      wishes: { ...NO_WISHES, memory: '4Gi', shm: '1Gi', gpus: '1' },
      notes: 'kept',
    };
    const command = commandOf(all, draft, 'local');
    expect(command.text.split(' \\\n  ')).toEqual([
      './trainyard submit',
      '--framework yolo',
      '--task detect',
      '--model n',
      '--dataset boxes',
      '--epochs 20',
      '--set rate=0.5',
      '--on k8s',
      '--gpus 1',
      '--memory 4Gi',
      "--name 'it'\\''s mine; $(rm)'",
      '--tag=-x',
      "--tag '둘'",
      '--priority=-5',
    ]);
    expect(command.without).toEqual(['notes', 'shm']);
  });

  it('names no tier that is the usual one', () => {
    expect(commandOf(offered(), start(offered()), 'local').text).not.toContain('--on');
    expect(commandOf(offered(), start(offered()), undefined).text).toContain('--on local');
  });

  it('is quoted for sh', () => {
    expect(quoted('a b')).toBe("'a b'");
    expect(quoted('a=b/c')).toBe('a=b/c');
    expect(quoted('`x`')).toBe("'`x`'");
  });
});
