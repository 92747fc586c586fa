import { describe, expect, it } from 'vitest';
import { chosen, fileSource, folderSource, type Located, suggestedName } from './picked';

const file = (name: string, size = 10, lastModified = 1) =>
  ({ name, size, lastModified, webkitRelativePath: '' }) as File;
const located = (...paths: string[]): Located[] => paths.map((path) => ({ path, file: file(path) }));
const inFolder = (path: string) => ({ ...file(path.split('/').at(-1) ?? ''), webkitRelativePath: path }) as File;

describe('what was dropped or chosen', () => {
  it('is a zip, or is refused with a reason', () => {
    expect(fileSource(file('Cats.ZIP'))).toMatchObject({ kind: 'zip', bytes: 10 });
    expect(fileSource(file('cats.tar.gz'))).toEqual({ fileName: 'cats.tar.gz', why: 'archive' });
    expect(fileSource(file('cat.jpg'))).toMatchObject({ why: 'loose' });
    expect(fileSource(file('cats.zip', 0))).toMatchObject({ why: 'empty' });
  });

  it('is a folder without what operating systems leave in it', () => {
    const found = folderSource(
      'cats',
      located('train/cat/1.jpg', '.DS_Store', 'train/._1.jpg', '__MACOSX/x', '.git/a'),
    );
    expect(found).toMatchObject({ kind: 'folder', fileName: 'cats', files: 1 });
    expect(folderSource('cats', located('.DS_Store'))).toMatchObject({ why: 'empty' });
    expect(folderSource('src', located('main.py'))).toMatchObject({ why: 'no_pictures' });
    expect(folderSource('big', [{ path: 'a.tif', file: file('a.tif', 2 ** 32) }])).toMatchObject({ why: 'too_large' });
  });

  it('is another one when a file in it has changed, whatever the order it is read in', () => {
    const print = (files: Located[]) => {
      const found = folderSource('cats', files);
      return 'why' in found ? found.why : found.fingerprint;
    };
    const two = located('a.jpg', 'b.jpg');
    expect(print(two)).toBe(print(two.toReversed()));
    expect(print(two)).not.toBe(print([{ path: 'a.jpg', file: file('a.jpg', 10, 2) }, ...located('b.jpg')]));
    expect(print(two)).not.toBe(print(located('a.jpg', 'c.jpg')));
  });

  it('leaves the folder itself out of the paths', () => {
    const { sources } = chosen([inFolder('cats/train/cat/1.jpg'), file('dogs.zip')]);
    expect(sources.map((one) => [one.kind, one.fileName])).toEqual([
      ['zip', 'dogs.zip'],
      ['folder', 'cats'],
    ]);
    expect(sources[1]?.bytes).toBe(2 * 'train/cat/1.jpg'.length + 30 + 46 + 22 + 10);
  });

  it('suggests a name', () => {
    expect(suggestedName('cats_and_dogs.zip')).toBe('cats and dogs');
    expect(suggestedName('.zip')).toBe('.zip');
  });
});
